import type { PartReceiver } from '../transport/index.ts'
import type { Suspended } from './telling.ts'

/** How long those whose connection broke may take to come back, in milliseconds. */
const KEPT_MS = 60_000
/** What is kept for them, in UTF-16 units: beyond, the oldest is dropped. */
const MOST = 32 * 1024 * 1024

/** A message that came in pieces, without its opening brace and number. */
export interface Whole {
  readonly rest: string
  readonly bytes: number
}

/** What had arrived of something long. */
export interface Upload {
  readonly receiver: PartReceiver
  /** The message that was put together of it last, of which its sender may not know that it is here. */
  readonly whole: Whole | undefined
  /** Gives back what it takes of its user's budget. */
  readonly release: () => void
}

interface Kept {
  readonly length: number
  readonly drop: () => void
  readonly timer: NodeJS.Timeout
}

/** What was under way when connections broke, for a while: whoever comes back for it goes on from there. */
export class Transfers {
  readonly #kept = new Map<string, Kept>()
  readonly #down = new Map<string, Suspended>()
  readonly #up = new Map<string, Upload>()
  #length = 0

  /** Keeps what was going out. */
  suspend(owner: string, suspended: Suspended): void {
    const key = keyOf('down', owner, suspended.transfer.id)
    this.#down.set(key, suspended)
    this.#keep(key, suspended.transfer.held, () => {
      suspended.copying?.copy.close()
      this.#down.delete(key)
    })
  }

  /** What was going out to this user under an id; it is no longer kept then. */
  resume(owner: string, id: string): Suspended | undefined {
    const key = keyOf('down', owner, id)
    const suspended = this.#down.get(key)
    this.#forget(key)
    this.#down.delete(key)
    return suspended
  }

  /** Keeps what had come in. */
  keep(owner: string, upload: Upload): void {
    const { receiver, whole, release } = upload
    const key = keyOf('up', owner, receiver.unfinished!.transfer)
    this.#up.set(key, upload)
    this.#keep(key, receiver.held + (whole?.rest.length ?? 0), () => {
      this.#up.delete(key)
      release()
    })
  }

  /** What had come in from this user under an id; it is no longer kept then. */
  take(owner: string, id: string): Upload | undefined {
    const key = keyOf('up', owner, id)
    const upload = this.#up.get(key)
    this.#forget(key)
    this.#up.delete(key)
    return upload
  }

  close(): void {
    for (const key of Array.from(this.#kept.keys())) this.#drop(key)
  }

  #keep(key: string, length: number, drop: () => void): void {
    this.#forget(key)
    const timer = setTimeout(() => this.#drop(key), KEPT_MS).unref()
    this.#kept.set(key, { length, drop, timer })
    this.#length += length
    for (const oldest of this.#kept.keys()) {
      if (this.#length <= MOST) return
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key)
    this.#forget(key)
    kept?.drop()
  }

  #forget(key: string): void {
    const kept = this.#kept.get(key)
    if (!kept) return
    clearTimeout(kept.timer)
    this.#kept.delete(key)
    this.#length -= kept.length
  }
}

function keyOf(way: 'up' | 'down', owner: string, id: string): string {
  return `${way}\0${owner}\0${id}`
}

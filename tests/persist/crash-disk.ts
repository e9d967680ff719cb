import type { Disk, DiskFile } from '../../src/persist/disk.ts'
import type { Random } from '../support/random.ts'

type Write = { readonly bytes: Uint8Array; readonly at: number } | { readonly truncate: number }

interface Stored {
  flushed: Uint8Array
  /** Writes since the last flush: a crash keeps any of them, and any part of each. */
  pending: Write[]
}

/** What a machine does that crashes: thrown by a `CrashDisk` from its crash on. */
class Crashed extends Error {}

/**
 * A disk in memory with a cache that is not yet written: after a number of operations it crashes, and `afterCrash` gives
 * what a machine could find when it starts again.
 */
export class CrashDisk implements Disk {
  readonly #files = new Map<string, Stored>()
  /** The files that the folder is sure to have after a crash. */
  #synced = new Map<string, Stored>()
  #left: number
  #crashed = false
  #failure: { left: number; readonly error: Error } | undefined

  constructor(crashAfter: number = Number.POSITIVE_INFINITY, files: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#left = crashAfter
    for (const [name, flushed] of files) this.#files.set(name, { flushed, pending: [] })
    this.#synced = new Map(this.#files)
  }

  list(): readonly string[] {
    return [...this.#files.keys()]
  }

  open(name: string): DiskFile {
    this.#step()
    const file = this.#files.get(name) ?? { flushed: new Uint8Array(), pending: [] }
    this.#files.set(name, file)
    return {
      size: () => current(file).length,
      read: (from, to) => current(file).slice(from, to),
      write: (bytes, at) => {
        file.pending.push({ bytes: bytes.slice(), at })
        this.#step()
      },
      truncate: (size) => {
        file.pending.push({ truncate: size })
        this.#step()
      },
      flush: () => {
        this.#step()
        file.flushed = current(file)
        file.pending = []
      },
      close: () => undefined,
    }
  }

  sizeOf(name: string): number | undefined {
    const file = this.#files.get(name)
    return file && current(file).length
  }

  remove(name: string): void {
    this.#files.delete(name)
    this.#step()
  }

  sync(): void {
    this.#step()
    this.#synced = new Map(this.#files)
  }

  /** One of the states a crash may leave: each unflushed write and each change of the folder happened, or not, or in part. */
  afterCrash(random: Random): CrashDisk {
    const files = new Map<string, Uint8Array>()
    for (const name of new Set([...this.#synced.keys(), ...this.#files.keys()])) {
      const [before, now] = [this.#synced.get(name), this.#files.get(name)]
      const file = before === now || random.chance(50) ? now : before
      if (file) files.set(name, crashed(file, random))
    }
    return new CrashDisk(Number.POSITIVE_INFINITY, files)
  }

  /** The same files on a machine that will crash. */
  crashingAfter(operations: number): CrashDisk {
    return new CrashDisk(operations, new Map([...this.#files].map(([name, file]) => [name, current(file)])))
  }

  /** Fails the nth operation from here with an error, once, after it was begun. */
  failOnce(nth: number, error: Error): void {
    this.#failure = { left: nth, error }
  }

  /** Takes `failOnce` back. */
  failNoMore(): void {
    this.#failure = undefined
  }

  /** Whether it crashed: of a call that was under way nobody heard the outcome. */
  get hasCrashed(): boolean {
    return this.#crashed
  }

  #step(): void {
    if (this.#failure) {
      this.#failure.left -= 1
      if (this.#failure.left === 0) throw this.#failure.error
    }
    if (this.#left <= 0) {
      this.#crashed = true
      throw new Crashed('the machine crashed')
    }
    this.#left -= 1
  }
}

function current({ flushed, pending }: Stored): Uint8Array {
  return pending.reduce(applied, flushed)
}

function crashed({ flushed, pending }: Stored, random: Random): Uint8Array {
  return pending.reduce((bytes, write) => {
    const fate = random.int(100)
    if (fate < 30) return bytes
    if (fate < 60 || 'truncate' in write) return applied(bytes, write)
    // Pages of a write need not arrive in their order.
    const from = random.chance(50) ? 0 : random.int(write.bytes.length + 1)
    const part = write.bytes.subarray(from, from + random.int(write.bytes.length - from + 1))
    return applied(bytes, { bytes: part, at: write.at + from })
  }, flushed)
}

function applied(before: Uint8Array, write: Write): Uint8Array {
  if ('truncate' in write) {
    const bytes = new Uint8Array(write.truncate)
    bytes.set(before.subarray(0, write.truncate))
    return bytes
  }
  if (write.bytes.length === 0) return before
  const bytes = new Uint8Array(Math.max(before.length, write.at + write.bytes.length))
  bytes.set(before)
  bytes.set(write.bytes, write.at)
  return bytes
}

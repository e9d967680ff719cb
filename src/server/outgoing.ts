import { serializeValue } from '../changes/index.ts'
import type { ServerConnection } from '../transport/index.ts'
import type { Reader } from './unread.ts'

/** While a long answer goes out, this many bytes may wait at the connection before the next part follows. */
const STREAM_BUFFER = 1024 * 1024
const POLL_MS = 4
/** What can wait is sent while no more than this is waiting, in bytes. */
const ROOM_BYTES = 256 * 1024

export interface OutgoingOptions {
  /** Bytes that may wait. */
  readonly limit: number
  /** Whether more waits for its user than may, over all connections. */
  readonly isTooMuch: () => boolean
  readonly tooSlow: () => void
}

/**
 * What goes out over one connection, numbered and in order. A long answer goes as fast as it is taken; what comes after
 * it waits behind it. Nothing is ever queued beyond the limit: a reader that is too slow is told so.
 */
export class Outgoing implements Reader {
  readonly #connection: ServerConnection
  readonly #options: OutgoingOptions
  #count = 0
  /** Parts of a long answer, and what comes after them, without their numbers. */
  #waiting: string[] = []
  /** Bytes of what is waiting that is not part of a long answer. */
  #queued = 0
  #parts = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(connection: ServerConnection, options: OutgoingOptions) {
    this.#connection = connection
    this.#options = options
  }

  get line(): object {
    return this.#connection.line ?? this.#connection
  }

  get buffered(): number {
    return this.#connection.buffered
  }

  get queued(): number {
    return this.#queued
  }

  /** Whether what can wait may be sent now. */
  get hasRoom(): boolean {
    return this.#parts === 0 && this.#connection.buffered < Math.min(ROOM_BYTES, this.#options.limit / 4)
  }

  send(message: { readonly type: string; readonly [property: string]: unknown }): void {
    this.sendText(serializeValue(message).slice(1))
  }

  /** A message without its opening brace, which its number comes after. */
  sendText(rest: string): void {
    if (this.#closed) return
    if (this.#parts > 0) {
      this.#waiting.push(rest)
      this.#queued += Buffer.byteLength(rest)
    } else this.#write(rest)
    const { limit, isTooMuch, tooSlow } = this.#options
    if (this.#queued + (this.#parts > 0 ? 0 : this.#connection.buffered) > limit || isTooMuch()) tooSlow()
  }

  /** A long answer, in parts of the same form. */
  stream(parts: readonly string[]): void {
    if (this.#closed) return
    // One long answer may be as long as it is; to ask for more while it has not been read is to read too slowly.
    if (this.#parts > 0) this.#queued += parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0)
    if (this.#queued > this.#options.limit) {
      this.#options.tooSlow()
      return
    }
    this.#waiting.push(...parts)
    this.#parts = this.#waiting.length
    this.#drain()
  }

  /** The last message: what is waiting is dropped. */
  end(message: { readonly type: string; readonly [property: string]: unknown }): void {
    if (this.#closed) return
    this.#write(serializeValue(message).slice(1))
    this.close()
  }

  close(): void {
    this.#closed = true
    this.#waiting = []
    clearTimeout(this.#timer)
  }

  #drain(): void {
    this.#timer = undefined
    while (this.#waiting.length > 0 && this.#connection.buffered < STREAM_BUFFER && !this.#closed)
      this.#write(this.#waiting.shift()!)
    if (this.#closed) return
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#drain(), POLL_MS)
    else {
      this.#parts = 0
      this.#queued = 0
    }
  }

  #write(rest: string): void {
    this.#connection.send(`{"n":${this.#count++},${rest}`)
  }
}

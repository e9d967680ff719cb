import { serializeValue } from '../changes/index.ts'
import type { ServerConnection } from '../transport/index.ts'

/** While a long answer goes out, this many characters may wait at the connection before the next part follows. */
const STREAM_BUFFER = 1024 * 1024
const POLL_MS = 4

/**
 * What goes out over one connection, numbered and in order. A long answer goes as fast as it is taken; what comes after
 * it waits behind it. Nothing is ever queued beyond the limit: a reader that is too slow is told so.
 */
export class Outgoing {
  readonly #connection: ServerConnection
  readonly #limit: number
  readonly #tooSlow: () => void
  #count = 0
  /** Parts of a long answer, and what comes after them, without their numbers. */
  #waiting: string[] = []
  /** Characters of what is waiting that is not part of a long answer. */
  #queued = 0
  #parts = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(connection: ServerConnection, limit: number, tooSlow: () => void) {
    this.#connection = connection
    this.#limit = limit
    this.#tooSlow = tooSlow
  }

  send(message: { readonly type: string; readonly [property: string]: unknown }): void {
    this.sendText(serializeValue(message).slice(1))
  }

  /** A message without its opening brace, which its number comes after. */
  sendText(rest: string): void {
    if (this.#closed) return
    if (this.#parts > 0) {
      this.#waiting.push(rest)
      this.#queued += rest.length
    } else this.#write(rest)
    if (this.#queued + (this.#parts > 0 ? 0 : this.#connection.buffered) > this.#limit) this.#tooSlow()
  }

  /** A long answer, in parts of the same form. */
  stream(parts: readonly string[], { unasked = false }: { readonly unasked?: boolean } = {}): void {
    if (this.#closed) return
    // One long answer may be as long as it is; to ask for more while it has not been read is to read too slowly.
    if (this.#parts > 0 && !unasked) this.#queued += parts.reduce((sum, { length }) => sum + length, 0)
    if (this.#queued > this.#limit) {
      this.#tooSlow()
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

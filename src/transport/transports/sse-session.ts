import {
  holdFor,
  type Accept,
  type ConnectionHandler,
  type ConnectionRequest,
  type ServerConnection,
} from '../connection.ts'
import { encodeSseEvent, encodeSseMessage, type SseBatch, type SseClose } from './sse-events.ts'

const HEARTBEAT = ': \n\n'
/** Some proxies pass nothing on before there is so much of it. */
const PADDING = `:${' '.repeat(2048)}\n\n`

export interface SseSessionOptions {
  readonly heartbeatMs: number
  /** How long a batch waits for one before it, while nothing comes. */
  readonly missingMs: number
}

/** One connection: its stream down, and what its POSTs bring. */
export class SseSession implements ServerConnection {
  readonly stream: ReadableStream<Uint8Array>
  readonly #encoder = new TextEncoder()
  readonly #forget: () => void
  readonly #timer: ReturnType<typeof setInterval>
  readonly #missingMs: number
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #handler: ConnectionHandler | undefined
  /** Why it ended; undefined while it is open. */
  #ended: string | undefined
  #taken = 0
  /** What waited at the last beat after the end, in bytes. */
  #left = 0
  /** When something came for it, as `performance.now` says. */
  #heard = 0
  /** Batches that came before their turn, by the one before them. */
  readonly #early = new Map<number, (isTurn: boolean) => void>()

  constructor(id: string, { heartbeatMs, missingMs }: SseSessionOptions, forget: () => void) {
    this.#forget = forget
    this.#missingMs = missingMs
    this.#timer = setInterval(() => this.#beat(), heartbeatMs)
    // With a mark of 0 and bytes as the size, `desiredSize` is what waits, negated.
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        cancel: () => this.#gone(),
      },
      { highWaterMark: 0, size: (chunk) => chunk.byteLength },
    )
    this.#write(PADDING + encodeSseEvent('session', id))
  }

  /** In bytes. */
  get buffered(): number {
    return Math.max(0, -(this.#controller?.desiredSize ?? 0))
  }

  /** As a handler says it. */
  get allowedBytes(): number {
    return this.#handler?.allowedBytes ?? Infinity
  }

  hold(bytes: number): (() => void) | undefined {
    this.#heard = performance.now()
    return this.#handler && holdFor(this.#handler, bytes)
  }

  tooLarge(): void {
    this.#handler?.tooLarge?.()
  }

  begin(accept: Accept, request: ConnectionRequest, signal: AbortSignal): void {
    try {
      this.#handler = accept(this, request)
    } catch (error) {
      this.close(1011, 'the server failed to take the connection')
      clearInterval(this.#timer)
      throw error
    }
    // Some servers abort the request rather than cancel the stream.
    signal.addEventListener('abort', () => this.#gone(), { once: true })
    if (this.#ended !== undefined) this.#handler.closed(this.#ended)
  }

  send(message: string): void {
    if (this.#ended === undefined) this.#write(encodeSseMessage(message))
  }

  close(code: number, reason: string): void {
    if (this.#ended !== undefined) return
    const close: SseClose = { code, reason }
    this.#write(encodeSseEvent('close', JSON.stringify(close)))
    this.#controller?.close()
    // What waits may still go out, until the next beat.
    this.#left = this.buffered
    if (this.#left === 0) clearInterval(this.#timer)
    this.#end(reason)
  }

  /**
   * Waits until all batches before this one were taken: they come over connections of their own. `false` where one of them
   * is missing, which ends the connection, and where that has ended.
   */
  async turn(n: number): Promise<boolean> {
    if (n <= this.#taken + 1) return true
    this.#heard = performance.now()
    return new Promise((resolve) => {
      const settle = (isTurn: boolean): void => {
        clearTimeout(timer)
        this.#early.delete(n - 1)
        resolve(isTurn)
      }
      const check = (): void => {
        const leftMs = this.#heard + this.#missingMs - performance.now()
        if (leftMs > 0) timer = setTimeout(check, leftMs)
        else this.close(1008, `batch ${n} came after batch ${this.#taken}`)
      }
      let timer = setTimeout(check, this.#missingMs)
      // One that a browser has sent again: the first is on a connection that is lost.
      this.#early.get(n - 1)?.(false)
      this.#early.set(n - 1, settle)
    })
  }

  /** Takes a batch whose turn it is. One that was taken before changes nothing. */
  take({ n, messages }: SseBatch): void {
    if (n <= this.#taken) return
    this.#taken = n
    for (const message of messages) if (this.#ended === undefined) this.#handler?.receive(message)
    this.#early.get(n)?.(true)
  }

  #write(text: string): void {
    this.#controller?.enqueue(this.#encoder.encode(text))
  }

  #beat(): void {
    if (this.#ended === undefined) {
      if (this.buffered === 0) this.#write(HEARTBEAT)
      return
    }
    // Closed: a client that has taken nothing more for a beat will not.
    const { buffered } = this
    const isTaken = buffered > 0 && buffered < this.#left
    this.#left = buffered
    if (isTaken) return
    clearInterval(this.#timer)
    this.#controller?.error(new Error(this.#ended))
  }

  /** The client went away. */
  #gone(): void {
    clearInterval(this.#timer)
    const reason = 'the client closed the connection or was lost'
    // Nobody takes what waits any more.
    this.#controller = undefined
    this.#end(reason)
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    for (const settle of this.#early.values()) settle(false)
    this.#forget()
    this.#handler?.closed(reason)
  }
}

import type { Accept, ConnectionHandler, ConnectionRequest, ServerConnection } from '../connection.ts'
import { encodeSseEvent, encodeSseMessage, type SseBatch, type SseClose } from './sse-events.ts'

const HEARTBEAT = ': \n\n'

/** One connection: its stream down, and what its POSTs bring. */
export class SseSession implements ServerConnection {
  readonly stream: ReadableStream<Uint8Array>
  readonly #encoder = new TextEncoder()
  readonly #forget: () => void
  readonly #timer: ReturnType<typeof setInterval>
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #handler: ConnectionHandler | undefined
  /** Why it ended; undefined while it is open. */
  #ended: string | undefined
  #taken = 0

  constructor(id: string, heartbeatMs: number, forget: () => void) {
    this.#forget = forget
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
    this.#write(encodeSseEvent('session', id))
  }

  /** In bytes. */
  get buffered(): number {
    return Math.max(0, -(this.#controller?.desiredSize ?? 0))
  }

  /** As a handler says it. */
  get allowedBytes(): number {
    return this.#handler?.allowedBytes ?? Infinity
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
    if (this.buffered === 0) clearInterval(this.#timer)
    this.#end(reason)
  }

  /** False where a batch is missing before this one, which ends the connection. One that was taken before changes nothing. */
  take(batch: SseBatch): boolean {
    if (batch.n <= this.#taken) return true
    if (batch.n !== this.#taken + 1) {
      this.close(1008, `batch ${batch.n} came after batch ${this.#taken}`)
      return false
    }
    this.#taken = batch.n
    for (const message of batch.messages) if (this.#ended === undefined) this.#handler?.receive(message)
    return true
  }

  #write(text: string): void {
    this.#controller?.enqueue(this.#encoder.encode(text))
  }

  #beat(): void {
    if (this.#ended === undefined) {
      if (this.buffered === 0) this.#write(HEARTBEAT)
      return
    }
    // Closed a beat ago: a client that has not taken the rest by now will not.
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
    this.#forget()
    this.#handler?.closed(reason)
  }
}

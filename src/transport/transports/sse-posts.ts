import { byteLength } from '../protocol/byte-length.ts'
import { describeFailure } from './describe-failure.ts'
import { BATCH_BYTES, type SseBatch } from './sse-events.ts'

/**
 * POSTs under way at once, where there is more than one takes: a link with a long way is not idle while an answer comes. One
 * at first and one more with each answer: where a link breaks soon, little is lost.
 */
const MOST_POSTS = 4

interface Message {
  readonly text: string
  readonly bytes: number
}

/**
 * The way up of one connection: what gathers while a POST is under way goes with the next. Where enough has gathered for
 * one more, that one goes at once; the server puts them in order.
 */
export class SsePosts {
  readonly #url: string
  readonly #fetch: typeof globalThis.fetch
  readonly #signal: AbortSignal
  readonly #failed: (reason: string) => void
  #waiting: Message[] = []
  #waitingBytes = 0
  #buffered = 0
  #posting = 0
  #allowed = 1
  #n = 0
  /** The secret that the server has given. */
  session = ''

  constructor(url: string, load: typeof globalThis.fetch, signal: AbortSignal, failed: (reason: string) => void) {
    this.#url = url
    this.#fetch = load
    this.#signal = signal
    this.#failed = failed
  }

  /** In bytes, those of the POST under way included. */
  get buffered(): number {
    return this.#buffered
  }

  send(message: string): void {
    const bytes = byteLength(message)
    this.#waiting.push({ text: message, bytes })
    this.#buffered += bytes
    this.#waitingBytes += bytes
    this.#begin()
  }

  /** One more POST, where there is enough for it. */
  #begin(): void {
    if (this.#posting > 0 && (this.#waitingBytes < BATCH_BYTES || this.#posting >= this.#allowed)) return
    this.#posting++
    this.#postAll().then(
      () => this.#posting--,
      (error: unknown) => this.#failed(`a message could not be sent to ${this.#url}: ${describeFailure(error)}`),
    )
  }

  async #postAll(): Promise<void> {
    // What is sent in the same turn goes along.
    await Promise.resolve()
    while (this.#waiting.length > 0 && !this.#signal.aborted) {
      const messages = this.#takeBatch()
      const batch: SseBatch = { session: this.session, n: (this.#n += 1), messages: messages.map(({ text }) => text) }
      const response = await this.#fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(batch),
        signal: this.#signal,
      })
      // Read to its end, so that the HTTP connection can be used again.
      const text = await response.text()
      if (!response.ok) throw new Error(`the server answered ${response.status} ${text}`.trim())
      for (const { bytes } of messages) this.#buffered -= bytes
      if (this.#allowed < MOST_POSTS) this.#allowed++
      this.#begin()
    }
  }

  #takeBatch(): Message[] {
    let count = 1
    let together = this.#waiting[0]?.bytes ?? 0
    for (; count < this.#waiting.length; count++) {
      together += this.#waiting[count]!.bytes
      if (together > BATCH_BYTES) break
    }
    const batch = this.#waiting.splice(0, count)
    for (const { bytes } of batch) this.#waitingBytes -= bytes
    return batch
  }
}

import { describeFailure } from './describe-failure.ts'
import type { SseBatch } from './sse-events.ts'

/** Characters of messages in one POST; a longer message goes alone. */
const BATCH_CHARACTERS = 1_000_000

/** The way up of one connection: what gathers while a POST is under way goes with the next. */
export class SsePosts {
  readonly #url: string
  readonly #fetch: typeof globalThis.fetch
  readonly #signal: AbortSignal
  readonly #failed: (reason: string) => void
  #waiting: string[] = []
  #buffered = 0
  #posting = false
  #n = 0
  /** The secret that the server has given. */
  session = ''

  constructor(url: string, load: typeof globalThis.fetch, signal: AbortSignal, failed: (reason: string) => void) {
    this.#url = url
    this.#fetch = load
    this.#signal = signal
    this.#failed = failed
  }

  /** In characters, those of the POST under way included. */
  get buffered(): number {
    return this.#buffered
  }

  send(message: string): void {
    this.#waiting.push(message)
    this.#buffered += message.length
    if (this.#posting) return
    this.#posting = true
    this.#postAll().then(
      () => (this.#posting = false),
      (error: unknown) => this.#failed(`a message could not be sent to ${this.#url}: ${describeFailure(error)}`),
    )
  }

  async #postAll(): Promise<void> {
    // What is sent in the same turn goes along.
    await Promise.resolve()
    while (this.#waiting.length > 0 && !this.#signal.aborted) {
      const messages = this.#takeBatch()
      const batch: SseBatch = { session: this.session, n: (this.#n += 1), messages }
      const response = await this.#fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(batch),
        signal: this.#signal,
      })
      // Read to its end, so that the HTTP connection can be used again.
      const text = await response.text()
      if (!response.ok) throw new Error(`the server answered ${response.status} ${text}`.trim())
      this.#buffered -= lengthOf(messages)
    }
  }

  #takeBatch(): string[] {
    let count = 1
    let length = this.#waiting[0]?.length ?? 0
    for (; count < this.#waiting.length; count++) {
      length += this.#waiting[count]!.length
      if (length > BATCH_CHARACTERS) break
    }
    return this.#waiting.splice(0, count)
  }
}

function lengthOf(messages: readonly string[]): number {
  return messages.reduce((sum, message) => sum + message.length, 0)
}

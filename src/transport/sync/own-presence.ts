import type { Timers } from './timers.ts'

/** The server passes presence on no more often; what lies between is seen by nobody. */
const PAUSE_MS = 40

/** What this client tells of itself: at once, and then no more often than it is passed on, the last of it always. */
export class OwnPresence {
  readonly #timers: Timers
  readonly #send: (state: unknown) => void
  #state: unknown
  #connected = false
  #unsent = false
  #stopPause: (() => void) | undefined

  /** @param send sends it on the connection that there is */
  constructor(timers: Timers, send: (state: unknown) => void) {
    this.#timers = timers
    this.#send = send
  }

  set(state: unknown): void {
    this.#state = state
    this.#unsent = true
    this.#flush()
  }

  /** A server has welcomed us, which knows nothing of before. */
  connected(): void {
    this.#connected = true
    this.#unsent = this.#state !== undefined
    this.#flush()
  }

  disconnected(): void {
    this.#connected = false
    this.#stopPause?.()
    this.#stopPause = undefined
  }

  #flush(): void {
    if (!this.#connected || !this.#unsent || this.#stopPause) return
    this.#unsent = false
    this.#stopPause = this.#timers.after(PAUSE_MS, () => {
      this.#stopPause = undefined
      this.#flush()
    })
    this.#send(this.#state)
  }
}

import { setTimeout as delay } from 'node:timers/promises'

const FIRST_MS = 25
const LONGEST_MS = 2_000

/** The pauses between attempts: doubled each time up to 2 s, and each of them between a half and the whole of that. */
export class Patience {
  readonly #until: number
  readonly #longestMs: number
  #nextMs = FIRST_MS

  /**
   * @param ms how long there is patience for another attempt, in milliseconds
   * @param longestMs of a pause, in milliseconds; 2 s if not given
   */
  constructor(ms: number, longestMs: number = LONGEST_MS) {
    this.#until = performance.now() + ms
    this.#longestMs = longestMs
  }

  /** Waits before the next attempt; `false` at once where there is no patience left. Rejects with what the signal says. */
  async again(signal?: AbortSignal): Promise<boolean> {
    if (performance.now() >= this.#until) return false
    const pauseMs = this.#nextMs * (0.5 + Math.random() / 2)
    this.#nextMs = Math.min(2 * this.#nextMs, this.#longestMs)
    try {
      await delay(pauseMs, undefined, { signal })
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error
    }
    return true
  }
}

/** Two claims after one another are an accident. A third waits so long, and each further one twice as long as the one before. */
const FREE = 2
const FIRST_MS = 5_000
const LONGEST_MS = 20_000

/**
 * How often this server has claimed what others had, of late: where two that reach the log but not each other take each
 * other for dead, each would claim what the other has claimed, for ever. Times are in milliseconds, on one clock.
 */
export class Contention {
  #claims = 0
  #claimedAt = -Infinity
  #isToBeTold = false

  /** Whether it may claim now. */
  mayClaim(now: number): boolean {
    return now - this.#claimedAt >= this.#waitMs
  }

  /** It has claimed. */
  claimed(now: number): void {
    const isOver = now - this.#claimedAt > 2 * Math.max(this.#waitMs, FIRST_MS)
    this.#claims = isOver ? 1 : this.#claims + 1
    this.#claimedAt = now
    this.#isToBeTold = true
  }

  /** Whether somebody is to be told that it may not: once after each claim. */
  tell(): boolean {
    const isToBeTold = this.#isToBeTold
    this.#isToBeTold = false
    return isToBeTold
  }

  get #waitMs(): number {
    return this.#claims < FREE ? 0 : Math.min(FIRST_MS * 2 ** (this.#claims - FREE), LONGEST_MS)
  }
}

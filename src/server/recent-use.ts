/** What somebody has had counts half as much after so long, in milliseconds. */
const HALF_MS = 500
/** Who has had more than this lately has had much, in milliseconds: about a seventh of all the time. */
const MUCH_MS = 100
/** Who has had less than this lately has had nothing, in milliseconds. */
const NOTHING_MS = 0.01
const SWEEP_MS = 1_000

/**
 * How much time each of many has had lately, in milliseconds: so that those who have had little go before those who have had
 * much (decay-usage scheduling, as of Unix).
 */
export class RecentUse<Owner> {
  readonly #now: () => number
  readonly #had = new Map<Owner, { readonly ms: number; readonly at: number }>()
  #sweptAt = 0

  /** @param now a clock that never goes back, in milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Those who have had anything lately. */
  get size(): number {
    return this.#had.size
  }

  of(owner: Owner): number {
    const had = this.#had.get(owner)
    return had ? had.ms * 2 ** ((had.at - this.#now()) / HALF_MS) : 0
  }

  isMuch(owner: Owner): boolean {
    return this.of(owner) >= MUCH_MS
  }

  add(owner: Owner, ms: number): void {
    this.#had.set(owner, { ms: this.of(owner) + ms, at: this.#now() })
    this.#sweep()
  }

  /** Forgets those who have had nothing lately, now and then. */
  #sweep(): void {
    if (this.#now() - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = this.#now()
    for (const owner of this.#had.keys()) if (this.of(owner) < NOTHING_MS) this.#had.delete(owner)
  }
}

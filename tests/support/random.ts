/** Pseudo-random numbers that a seed determines. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to, not including, `below`. */
  int(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }

  chance(percent: number): boolean {
    return this.int(100) < percent
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item
  pick<Item>(items: readonly Item[]): Item
  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.int(items.length)]
  }
}

/**
 * The seed to begin with: that of `ROWCAST_SEED`, or another one each time. In CI it is always the same, so that a change
 * is judged by what it changes; new seeds are for everyone's own runs.
 */
export const firstSeed: number = Number(
  process.env['ROWCAST_SEED'] ?? (process.env['CI'] ? 1 : Math.floor(Math.random() * 2 ** 31)),
)

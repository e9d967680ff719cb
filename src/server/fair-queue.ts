import { RecentUse } from './recent-use.ts'

interface Waiting<Item> {
  readonly item: Item
  readonly cost: number
  /** In the order of all that came. */
  readonly came: number
}

interface Owner {
  readonly owner: unknown
  /** What it has had lately, where that is much. */
  readonly had: number
}

/**
 * What waits, of many owners. Those of one owner go in their order. Those of owners who have had little time lately go as
 * they came, and before those of who has had much: so nobody who asks for little waits until all is done that others ask
 * for, and where nobody else is waiting all goes at once.
 */
export class FairQueue<Item> {
  readonly #use: RecentUse<unknown>
  readonly #byOwner = new Map<unknown, Waiting<Item>[]>()
  #came = 0
  #length = 0

  /** @param now a clock that never goes back, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#use = new RecentUse(now)
  }

  get length(): number {
    return this.#length
  }

  push(owner: unknown, cost: number, item: Item): void {
    const waiting = { item, cost, came: this.#came++ }
    const its = this.#byOwner.get(owner)
    if (its) its.push(waiting)
    else this.#byOwner.set(owner, [waiting])
    this.#length++
  }

  /** So much time was needed for what was taken of an owner, in milliseconds. */
  spent(owner: unknown, ms: number): void {
    this.#use.add(owner, ms)
  }

  /**
   * Takes so many, or fewer where they come to more than `cost`, or the others are of who has had much: nobody waits for
   * those. One at least, where there is one.
   */
  take(count: number, cost: number): Item[] {
    const owners = Array.from(this.#byOwner.keys(), (owner) => ({ owner, had: this.#had(owner) }))
    const taken: Item[] = []
    let first: number | undefined
    let left = cost
    while (taken.length < count) {
      const next = this.#next(owners)
      if (!next) break
      const { had, waiting } = next
      if (first !== undefined && (waiting[0]!.cost > left || first < had)) break
      first ??= had
      left -= waiting[0]!.cost
      taken.push(waiting.shift()!.item)
      this.#length--
      if (waiting.length === 0) this.#byOwner.delete(next.owner)
    }
    return taken
  }

  /** Takes all. */
  clear(): Item[] {
    const all = [...this.#byOwner.values()].flat().toSorted((a, b) => a.came - b.came)
    this.#byOwner.clear()
    this.#length = 0
    return all.map(({ item }) => item)
  }

  /** What an owner has had, where that is much. */
  #had(owner: unknown): number {
    return this.#use.isMuch(owner) ? this.#use.of(owner) : 0
  }

  #next(owners: readonly Owner[]): (Owner & { readonly waiting: Waiting<Item>[] }) | undefined {
    let next: (Owner & { readonly waiting: Waiting<Item>[] }) | undefined
    for (const { owner, had } of owners) {
      const waiting = this.#byOwner.get(owner)
      if (!waiting || (next && next.had < had)) continue
      if (!next || had < next.had || waiting[0]!.came < next.waiting[0]!.came) next = { owner, had, waiting }
    }
    return next
  }
}

/** What one owner has of a round, by cost, before its next goes into the next round. */
const SHARE = 200

interface Round<Item> {
  readonly items: { readonly item: Item; readonly cost: number }[]
  readonly spent: Map<unknown, number>
}

/**
 * What waits, of many owners. Those of one owner go in their order; who has much waiting has one share of each round, so
 * that others don't wait until all of it is done. Within a round, and so where little waits, they go as they came.
 */
export class FairQueue<Item> {
  readonly #rounds: Round<Item>[] = []
  /** How many rounds are over. */
  #over = 0
  /** The round that an owner's last is in. */
  readonly #last = new Map<unknown, number>()
  #length = 0

  get length(): number {
    return this.#length
  }

  push(owner: unknown, cost: number, item: Item): void {
    let at = this.#last.get(owner) ?? this.#over
    if ((this.#rounds[at - this.#over]?.spent.get(owner) ?? 0) >= SHARE) at++
    const { items, spent } = (this.#rounds[at - this.#over] ??= { items: [], spent: new Map() })
    items.push({ item, cost })
    spent.set(owner, (spent.get(owner) ?? 0) + cost)
    this.#last.set(owner, at)
    this.#length++
  }

  /** Takes so many, or fewer where they come to more than `cost`; one at least, where there is one. */
  take(count: number, cost: number): Item[] {
    const taken: Item[] = []
    let left = cost
    while (taken.length < count) {
      const [next] = this.#rounds[0]?.items ?? []
      if (!next || (taken.length > 0 && next.cost > left)) break
      this.#rounds[0]!.items.shift()
      left -= next.cost
      taken.push(next.item)
      this.#length--
      if (this.#rounds[0]!.items.length === 0) this.#endRound()
    }
    return taken
  }

  /** Takes all. */
  clear(): Item[] {
    return this.take(Infinity, Infinity)
  }

  #endRound(): void {
    const { spent } = this.#rounds.shift()!
    for (const owner of spent.keys()) if (this.#last.get(owner) === this.#over) this.#last.delete(owner)
    this.#over++
  }
}

import { Subscription } from 'rxjs'
import type { LiveQuery, Store } from 'rowcast'
import { expect } from 'vitest'
import { applyDiff } from '../../../src/store/live/index.ts'
import type { Random } from '../../support/random.ts'
import { randomOptions, randomSql } from './history-queries.ts'

/** A live query that is followed, and the same question to be asked anew. */
export class Follower {
  readonly name: string
  readonly live: LiveQuery<object>
  readonly #fresh: () => readonly object[]
  readonly #subscription = new Subscription()
  #told: readonly object[] | undefined
  #replayed: readonly object[] = []
  /** What was wrong with an emission. Said by `check`: what a subscriber throws reaches no test. */
  #wrong: string[] = []

  constructor(name: string, live: LiveQuery<object>, fresh: () => readonly object[]) {
    this.name = name
    this.live = live
    this.#fresh = fresh
    this.#subscription.add(live.rows$.subscribe((rows) => this.#tell(rows)))
    this.#replayed = this.#told ?? []
    this.#subscription.add(live.diff$.subscribe((diff) => (this.#replayed = applyDiff(this.#replayed, diff))))
  }

  stop(): void {
    this.#subscription.unsubscribe()
  }

  #tell(rows: readonly object[]): void {
    const before = this.#told
    this.#told = rows
    if (!before) return
    if (rows.map(contentOf).join() === before.map(contentOf).join()) this.#wrong.push('an equal result was told')
    const old = Map.groupBy(before, contentOf)
    for (const [content, now] of Map.groupBy(rows, contentOf)) {
      const then = new Set(old.get(content))
      const kept = now.filter((row) => then.has(row)).length
      if (kept < Math.min(now.length, then.size)) this.#wrong.push(`an unchanged row is another object: ${content}`)
    }
  }

  /**
   * @param changedBack whether rows may have been changed and changed back before the query was told, which makes them
   *   other objects
   */
  check(where: string, changedBack: boolean): void {
    const at = `${where}: ${this.name}`
    const now = this.#fresh()
    expect(this.live.rows, at).toEqual(now)
    expect(this.#told, at).toBe(this.live.rows)
    expect(this.#replayed, at).toHaveLength(now.length)
    for (const [n, row] of this.#replayed.entries()) expect(row, `${at}, replayed row ${n}`).toBe(this.live.rows[n])
    if (!changedBack) expect(this.#wrong, at).toEqual([])
    this.#wrong = []
  }
}

/** Follows a query drawn at random: one of items, a short window of another table, or one in SQL. */
export function followAtRandom(store: Store, random: Random): Follower {
  if (random.chance(45)) {
    const query = randomSql(random)
    return new Follower(contentOf(query), store.live(query), () => store.query(query))
  }
  const [name, options] = random.chance(85)
    ? (['item', randomOptions(random)] as const)
    : ([random.pick(['wide', 'flag', 'group'] as const), { limit: 2 }] as const)
  const table = store.table(name)
  return new Follower(`${name} ${contentOf(options)}`, table.live(options), () => table.find(options))
}

function contentOf(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
}

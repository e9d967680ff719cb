import { createStore, type SqliteDriverFactory, type Store } from 'rowcast'
import { expect, test } from 'vitest'
import { describeEachDriver } from '../../support/each-driver.ts'
import { firstSeed, Random } from '../../support/random.ts'
import { actAtRandom, attempt, type World } from './history-acts.ts'
import { followAtRandom, type Follower } from './history-follower.ts'
import { randomCondition, type Where } from './history-queries.ts'
import { historySchema, randomItem } from './history-values.ts'

const ROUNDS = 7
const STEPS = 100
const QUERIES = 14

/** Subscribers that write while they are told, as often as they are allowed to. */
class Meddlers {
  left = 0
  readonly #world: World
  readonly #random: Random

  constructor(world: World, random: Random) {
    this.#world = world
    this.#random = random
    const { store } = world
    store.changes$.subscribe(this.meddle)
    store.table('item').changes$.subscribe(this.meddle)
    store.table('item').live({ orderBy: '-rank', limit: 3 }).rows$.subscribe(this.meddle)
    store.live({ sql: 'select count(*) from wide' }).rows$.subscribe(this.meddle)
  }

  readonly meddle = (): void => {
    if (this.left === 0) return
    this.left--
    actAtRandom(this.#world, this.#random)
  }
}

/** Counts of items, each with the number told last. */
function followCounts(store: Store, random: Random): { check(where: string): void } {
  const items = store.table('item')
  const counts: { where: Where | undefined; told: number }[] = []
  for (const where of [undefined, randomCondition(random), randomCondition(random)]) {
    const count = { where, told: -1 }
    attempt(() => {
      items.count$(where).subscribe((now) => (count.told = now))
      counts.push(count)
    })
  }
  return {
    check: (where) => {
      for (const count of counts) expect(count.told, where).toBe(items.count(count.where))
    },
  }
}

/** One history, all of which the seed determines. */
async function live(seed: number, driver: SqliteDriverFactory): Promise<void> {
  const random = new Random(seed)
  const store = await createStore({ schema: historySchema, driver })
  for (let n = 0; n < 150; n++) attempt(() => store.table('item').upsert(randomItem(random)))
  const followers: Follower[] = []
  const follow = (): void => attempt(() => followers.push(followAtRandom(store, random)))
  for (let n = 0; n < QUERIES; n++) follow()
  const world: World = { store, drafts: [], exports: [], follow }
  const counts = followCounts(store, random)
  const meddlers = new Meddlers(world, random)
  for (let step = 0; step < STEPS; step++) {
    meddlers.left = random.chance(30) ? 1 + random.int(3) : 0
    const allowed = meddlers.left
    if (random.chance(5)) follow()
    while (followers.length > QUERIES) followers.splice(random.int(followers.length), 1)[0]?.stop()
    // Who writes as soon as it is subscribed does so before others are told.
    if (random.chance(5)) random.pick(followers)?.live.rows$.subscribe(meddlers.meddle).unsubscribe()
    const where = `seed ${seed}, step ${step}, ${actAtRandom(world, random)}`
    for (const follower of followers) follower.check(where, meddlers.left < allowed)
    counts.check(where)
  }
  for (const draft of world.drafts) attempt(() => draft.cancel())
  await store.close()
}

describeEachDriver('whatever happens to a store', (driver) => {
  test('its live queries equal fresh ones, their diffs add up, unchanged rows stay, and nothing equal is told', async () => {
    expect.hasAssertions()
    for (let round = 0; round < ROUNDS; round++) await live(firstSeed + round, driver())
  })
})

import { createStore, defineSchema, sql, sqlJsDriver, type LiveDiff } from 'rowcast'
import { expect, onTestFinished, test } from 'vitest'
import { applyDiff } from '../../../src/store/live/index.ts'
import { countingDriver } from '../../support/each-driver.ts'
import { firstSeed, Random } from '../../support/random.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      indexes: [['rank']],
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'integer' },
          rank: { type: 'integer', default: 5 },
          label: { type: 'object', properties: { text: { type: 'string' } } },
        },
      },
    },
  },
})

async function open() {
  const { driver, work } = countingDriver(sqlJsDriver())
  const store = await createStore({ schema, driver })
  onTestFinished(() => store.close())
  return { store, work, items: store.table('item') }
}

type Item = { id: number; rank?: number; label?: { text: string } }

function randomItems(random: Random, from: number, count: number): Item[] {
  return Array.from({ length: count }, (_, n): Item => {
    const id = from + n
    const item: Item = { id: random.chance(50) ? id : -id }
    if (random.chance(70)) item.rank = random.int(40)
    if (random.chance(30)) item.label = { text: `t${random.int(5)}` }
    return item
  })
}

test('whatever is imported at once, a list is what a fresh one would be, row for row', async () => {
  for (let seed = firstSeed; seed < firstSeed + 8; seed++) {
    const random = new Random(seed)
    const { store, items } = await open()
    const options = [
      {},
      { orderBy: '-rank' },
      { where: { rank: { gte: 10 } }, orderBy: 'rank', limit: 20 },
      { where: { rank: { lt: 30 } }, orderBy: ['rank', '-id'], limit: 400, offset: 30 },
      { orderBy: 'label.text', limit: 1_500 },
    ] as const
    const lists = options.map((each) => {
      const live = items.live(each as { orderBy?: 'rank' })
      const list: { rows: readonly { readonly id: number; readonly rank: number }[]; replayed: readonly object[] } = {
        rows: [],
        replayed: [],
      }
      live.rows$.subscribe((rows) => (list.rows = rows))
      list.replayed = list.rows
      live.diff$.subscribe((diff: LiveDiff<object>) => (list.replayed = applyDiff(list.replayed, diff)))
      return { list, each, live }
    })
    let meddle = false
    let next = 1
    const gone: number[] = []
    // Who writes in answer changes what it has imported before that is told of.
    items.live({ limit: 1 }).rows$.subscribe(() => {
      if (!meddle) return
      meddle = false
      const rows = randomItems(random, next, 300)
      next += 300
      items.insert(rows)
      const { id } = rows[0]!
      store.exec(sql`DELETE FROM item WHERE id = ${id}`)
      gone.push(id)
    })
    for (let step = 0; step < 12; step++) {
      meddle = random.chance(40)
      const count = random.pick([1, 40, 300, 700])
      const rows = randomItems(random, next, count)
      next += count
      store.transaction(() => {
        items.insert(rows)
        if (random.chance(30)) items.set(rows[0]!.id, 'rank', 39)
        if (random.chance(30)) items.delete(rows.slice(-3).map(({ id }) => id))
        const keys = items.keys()
        if (keys.length > 0 && random.chance(20)) items.set(random.pick(keys), 'rank', 0)
      })
      const ranks = new Map(store.query({ sql: 'SELECT id, rank FROM item' }).map(({ id, rank }) => [id, rank]))
      for (const id of gone) expect(items.get(id), `seed ${seed}, step ${step}`).toBeUndefined()
      for (const { list, each, live } of lists) {
        const where = `seed ${seed}, step ${step}, ${JSON.stringify(each)}`
        expect(live.rows, where).toEqual(items.find(each as { orderBy?: 'rank' }))
        expect(list.rows, where).toBe(live.rows)
        expect(list.replayed, where).toEqual(list.rows)
        expect(
          list.rows.every(({ id, rank }) => ranks.get(id) === rank),
          where,
        ).toBe(true)
        for (const row of list.rows) if (items.get(row.id) !== row) expect.fail(`${where}: ${row.id} is another object`)
      }
    }
  }
})

test('what is imported is sorted into a list without being read', async () => {
  const { work, items } = await open()
  items.insert(Array.from({ length: 100 }, (_, id) => ({ id, rank: id % 7 })))
  const live = items.live({ orderBy: 'rank' })
  live.rows$.subscribe()
  const { reads } = work
  items.insert(Array.from({ length: 1_000 }, (_, n) => ({ id: 1_000 + n, rank: n % 7 })))
  expect(live.rows).toHaveLength(1_100)
  for (let id = 1_000; id < 2_000; id++) items.get(id)
  expect(work.reads).toBe(reads)
})

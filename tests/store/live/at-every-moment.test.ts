import {
  createStore,
  defineSchema,
  sql,
  SqlError,
  sqlJsDriver,
  ValidationError,
  type LiveDiff,
  type LiveQuery,
} from 'rowcast'
import { switchMap } from 'rxjs'
import { expect, onTestFinished, test } from 'vitest'
import { countingDriver } from '../../support/each-driver.ts'
import { applyDiff } from '../../../src/store/live/index.ts'

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
          id: { type: 'string' },
          rank: { type: 'number', default: 0 },
          meta: { type: 'object' },
          seal: { type: 'string', contentEncoding: 'base64' },
        },
      },
    },
    layer: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
    },
  },
})

async function open() {
  const { driver, work } = countingDriver(sqlJsDriver())
  const store = await createStore({ schema, driver })
  onTestFinished(() => store.close())
  return { store, work, items: store.table('item'), layers: store.table('layer') }
}

const ids = (rows: readonly object[]): unknown[] => rows.map((row) => (row as { id: string }).id)

test('within a transaction a live query reads what was written, followed or not', async () => {
  const { store, items } = await open()
  items.insert({ id: 'a' })
  const lives: readonly LiveQuery<object>[] = [items.live(), store.live({ sql: 'SELECT id FROM item ORDER BY id' })]
  const told: unknown[][] = []
  for (const live of lives) live.rows$.subscribe((rows) => told.push(ids(rows)))
  const idle = [items.live(), store.live({ sql: 'SELECT id FROM item ORDER BY id' })]
  store.transaction(() => {
    items.insert({ id: 'b' })
    for (const live of [...lives, ...idle]) {
      expect(ids(live.rows)).toEqual(['a', 'b'])
      expect(live.rows).toBe(live.rows)
    }
    expect(() =>
      store.transaction(() => {
        items.insert({ id: 'c' })
        expect(ids(lives[0]!.rows)).toEqual(['a', 'b', 'c'])
        throw new Error('undone')
      }),
    ).toThrow('undone')
    expect(ids(lives[0]!.rows)).toEqual(['a', 'b'])
  })
  expect(told).toEqual([['a'], ['a'], ['a', 'b'], ['a', 'b']])
})

test('whoever is told of a change finds every live query up to date', async () => {
  const { store, items, layers } = await open()
  const rows = items.live({ where: { rank: { gt: 0 } } })
  const joined = store.live({ sql: 'SELECT item.id FROM item JOIN layer USING (id) WHERE rank > 0' })
  const count = store.live({ sql: 'SELECT count(*) AS n FROM item, layer' })
  rows.rows$.subscribe()
  joined.rows$.subscribe()
  count.rows$.subscribe()
  const seen: unknown[] = []
  const look = (who: string) => () => seen.push([who, ids(rows.rows), ids(joined.rows), count.rows])
  layers.changes$.subscribe(look('table'))
  items.row$('a').subscribe(look('row'))
  items.live({ limit: 3 }).rows$.subscribe(look('live'))
  store.live({ sql: 'SELECT id FROM layer' }).rows$.subscribe(look('sql'))
  store.changes$.subscribe(look('store'))
  seen.length = 0
  store.transaction(() => {
    items.insert({ id: 'a', rank: 1 })
    layers.insert({ id: 'a' })
  })
  expect(new Set(seen.map((one) => (one as string[])[0]))).toEqual(new Set(['live', 'row', 'sql', 'store', 'table']))
  for (const [, ...found] of seen as unknown[][]) expect(found).toEqual([['a'], ['a'], [{ n: 1 }]])
})

test('who writes in answer reads its own write at once, and the same array as is told later', async () => {
  const { store, items } = await open()
  const live = store.live({ sql: 'SELECT id FROM item ORDER BY id' })
  const told: (readonly object[])[] = []
  live.rows$.subscribe((rows) => told.push(rows))
  const read: (readonly object[])[] = []
  items.changes$.subscribe(() => {
    if (items.has('b')) return
    items.insert({ id: 'b' })
    read.push(live.rows, live.rows)
  })
  items.insert({ id: 'a' })
  expect(told.map(ids)).toEqual([[], ['a'], ['a', 'b']])
  expect(read).toEqual([told[2], told[2]])
  expect(read[0]).toBe(told[2])
  expect(read[1]).toBe(told[2])
})

test('who begins to listen while a result is told of is not told of it again', async () => {
  const { items } = await open()
  const live = items.live()
  let late: { rows: readonly object[]; diffs: LiveDiff<object>[]; again: number } | undefined
  live.rows$.subscribe((rows) => {
    if (rows.length === 0 || late) return
    const begun = { rows: live.rows as readonly object[], diffs: [] as LiveDiff<object>[], again: -1 }
    live.diff$.subscribe((diff) => begun.diffs.push(diff))
    live.rows$.subscribe(() => begun.again++)
    late = begun
  })
  items.insert({ id: 'a' })
  expect(late).toMatchObject({ diffs: [], again: 0 })
  items.insert({ id: 'b' })
  expect(late!.diffs.reduce(applyDiff, late!.rows)).toEqual(live.rows)
})

test('bytes are told apart in parameters and in results', async () => {
  const { store, items } = await open()
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
  const text = 'SELECT ? AS a, ? AS b, ? AS c'
  const one = store.live({ sql: text, parameters: [1, bytes(2), bytes(3, 4)] })
  one.rows$.subscribe()
  const other = store.live({ sql: text, parameters: [bytes(1, 2), 3, bytes(4)] })
  expect(other.rows).toEqual([{ a: bytes(1, 2), b: 3, c: bytes(4) }])

  const buffer = bytes(1, 2)
  items.insert({ id: 'a', seal: bytes(1, 2) })
  const sealed = store.live({ sql: 'SELECT id FROM item WHERE seal = ?', parameters: [buffer] })
  buffer[0] = 9
  expect(ids(sealed.rows)).toEqual(['a'])
})

test('two columns of one name are refused as they are in a query', async () => {
  const { store, items } = await open()
  items.insert({ id: 'a' })
  const twice = { sql: 'SELECT id, rank AS id FROM item' }
  expect(() => store.query(twice)).toThrow(SqlError)
  const live = store.live(twice)
  expect(() => live.rows).toThrow(SqlError)
  const errors: unknown[] = []
  live.rows$.subscribe({ error: (error) => errors.push(error) })
  expect(errors).toMatchObject([{ code: 'sql' }])
})

test('counting rows is not done again for a column that it does not read', async () => {
  const { store, items, work } = await open()
  items.insert({ id: 'a' })
  const told: unknown[] = []
  store.live({ sql: 'SELECT count(*) AS n FROM item' }).rows$.subscribe((rows) => told.push(rows[0]))
  items.count$().subscribe((n) => told.push(n))
  items.set('a', 'rank', 9)
  const { reads } = work
  for (const rank of [1, 2, 3]) items.set('a', 'rank', rank)
  expect(work.reads).toBe(reads)
  items.insert({ id: 'b' })
  items.delete('a')
  expect(told).toEqual([{ n: 1 }, 1, 2, { n: 2 }, 1, { n: 1 }])
})

test('JSON that SQL has written is to SQL what it is to those who see the row', async () => {
  const { store, items } = await open()
  items.insert([{ id: 'a', meta: { k: 1 } }, { id: 'b' }])
  const live = store.live(sql`SELECT json_extract(meta, '$.k') / 2 AS half FROM item`)
  live.rows$.subscribe()
  store.exec(sql`UPDATE item SET meta = '{"k": 1, "k": 3.0}'`)
  expect(items.get('a')!.meta).toEqual({ k: 3 })
  expect(live.rows).toEqual([{ half: 1 }, { half: 1 }])
  expect(store.query(sql`SELECT DISTINCT meta FROM item`)).toEqual([{ meta: '{"k":3}' }])
})

test('a query that cannot be run any more throws to whoever reads it, until it can', async () => {
  const { store, items } = await open()
  items.insert({ id: 'a', rank: 1 })
  // More than an integer can hold is an error only once there are such rows.
  const text = 'SELECT sum(CAST(rank AS INTEGER)) AS total FROM item'
  const live = store.live({ sql: text })
  live.rows$.subscribe()
  const uncaught: unknown[] = []
  const hear = (error: unknown): void => void uncaught.push(error)
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', hear)
  onTestFinished(() => {
    process.off('uncaughtException', hear)
    for (const other of others) process.on('uncaughtException', other)
  })
  items.insert([
    { id: 'b', rank: 9.1e18 },
    { id: 'c', rank: 9.1e18 },
  ])
  expect(() => store.query({ sql: text })).toThrow(SqlError)
  expect(() => live.rows).toThrow(SqlError)
  await expect.poll(() => uncaught).toHaveLength(1)
  items.delete('c')
  expect(live.rows).toEqual(store.query({ sql: text }))
})

test('a list shows one commit or the next, never a mixture of both', async () => {
  const { items, store } = await open()
  items.insert([
    { id: 'a', rank: 1 },
    { id: 'b', rank: 2 },
  ])
  const told: unknown[] = []
  items.live().rows$.subscribe((rows) => told.push(rows.map(({ rank }) => rank)))
  const live = items.live()
  let replayed: readonly object[] = live.rows
  live.diff$.subscribe((diff) => (replayed = applyDiff(replayed, diff)))
  let answered = false
  store.changes$.subscribe(() => {
    if (answered) return
    answered = true
    items.set('a', 'rank', 7)
    items.updateMany(['a', 'b'], { rank: 9 })
  })
  items.set('a', 'rank', 3)
  expect(told).toEqual([
    [1, 2],
    [3, 2],
    [9, 9],
  ])
  expect(replayed).toEqual(items.find())
})

test('a filter that names no column is counted as it is asked', async () => {
  const { items } = await open()
  items.insert([{ id: 'a' }, { id: 'b' }])
  const counts: number[] = []
  for (const where of [{ id: { in: [] } }, { or: [] }, { not: {} }, {}])
    items.count$(where).subscribe((count) => counts.push(count))
  expect(counts).toEqual([0, 0, 0, 2])
  items.insert({ id: 'c' })
  expect(counts).toEqual([0, 0, 0, 2, 3])
})

test('what was read in a transaction that is undone leaves no trace', async () => {
  const { store, items } = await open()
  items.insert([{ id: 'a', rank: 1 }, { id: 'b' }])
  const live = store.live({ sql: 'SELECT id, rank FROM item WHERE rank > 0' })
  const told: (readonly object[])[] = []
  live.rows$.subscribe((rows) => told.push(rows))
  expect(() =>
    store.transaction(() => {
      items.set('a', 'rank', 5)
      expect(live.rows).toEqual([{ id: 'a', rank: 5 }])
      throw new Error('undone')
    }),
  ).toThrow('undone')
  store.transaction(() => {
    items.set('a', 'rank', 6)
    expect(live.rows).toEqual([{ id: 'a', rank: 6 }])
    items.set('a', 'rank', 1)
    items.delete('b')
  })
  expect(told).toHaveLength(1)
  expect(live.rows).toBe(told[0])
})

test('JSON that cannot be kept is refused, as through the API', async () => {
  const { store, items } = await open()
  items.insert({ id: 'a', meta: { k: 1 } })
  const deep = '['.repeat(20_000) + ']'.repeat(20_000)
  for (const text of ['{"k":1e999}', `{"k":${deep}}`, '{'])
    expect(() => store.exec(sql`UPDATE item SET meta = ${text}`)).toThrow(ValidationError)
  expect(items.get('a')!.meta).toEqual({ k: 1 })
})

test('rows that are equal, or that came back, stay rows of their own', async () => {
  const { store, items } = await open()
  items.insert({ id: 'a', rank: 1 })
  const ranks = store.live({ sql: 'SELECT rank FROM item ORDER BY id' })
  const rows = store.live({ sql: 'SELECT id, rank FROM item ORDER BY id' })
  const replayed: (readonly object[])[] = []
  for (const [n, live] of ([ranks, rows] as readonly LiveQuery<object>[]).entries()) {
    live.rows$.subscribe()
    replayed[n] = live.rows
    live.diff$.subscribe((diff) => (replayed[n] = applyDiff(replayed[n]!, diff)))
  }
  store.transaction(() => {
    items.insert({ id: 'b', rank: 2 })
    expect([ranks.rows.length, rows.rows.length]).toEqual([2, 2])
    items.set('b', 'rank', 1)
  })
  expect(new Set(ranks.rows).size).toBe(2)
  store.transaction(() => {
    items.delete('a')
    items.insert({ id: 'c', rank: 5 })
    expect(rows.rows).toHaveLength(2)
    items.insert({ id: 'a', rank: 1 })
  })
  expect(replayed).toEqual([ranks.rows, rows.rows])
  expect(rows.rows).toEqual(store.query({ sql: 'SELECT id, rank FROM item ORDER BY id' }))
})

test('who lets go of a list and comes again while it is told of has the last result', async () => {
  const { store, items } = await open()
  items.insert({ id: 'a', rank: 1 })
  let write = true
  store.live({ sql: 'SELECT rank FROM item' }).rows$.subscribe((rows) => {
    if (rows[0]!['rank'] !== 2 || !write) return
    write = false
    items.set('a', 'rank', 3)
  })
  const inner = items.live()
  let last: unknown
  store
    .live({ sql: 'SELECT id, rank FROM item' })
    .rows$.pipe(switchMap(() => inner.rows$))
    .subscribe((rows) => (last = rows[0]!.rank))
  items.set('a', 'rank', 2)
  expect([last, inner.rows[0]!.rank]).toEqual([3, 3])
})

test('an import below a short list reads no more than the list shows', async () => {
  const { items, work } = await open()
  const live = items.live({ orderBy: 'rank', limit: 5 })
  live.rows$.subscribe()
  const { reads } = work
  items.insert(Array.from({ length: 2_000 }, (_, n) => ({ id: `i${n}`, rank: n })))
  expect(live.rows.map(({ rank }) => rank)).toEqual([0, 1, 2, 3, 4])
  expect(work.reads - reads).toBeLessThan(60)
})

import { createStore, defineSchema, sql, sqlJsDriver, type LiveQuery, type SqliteDriverFactory } from 'rowcast'
import { expect, test } from 'vitest'
import { applyDiff } from '../../../src/store/live/index.ts'
import { countingDriver, type ReadsByText } from '../../support/each-driver.ts'
import { firstSeed, Random } from '../../support/random.ts'

const STEPS = 10_000
const ROWS = 300
/** From so many changes in one transaction on, a live query may read its result anew. */
const FEW_CHANGES = 256

const schema = defineSchema({
  version: 1,
  tables: {
    layer: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' }, title: { type: 'string' } } },
    },
    pin: {
      primaryKey: 'id',
      indexes: [['rank'], ['layerId', 'rank']],
      references: { layerId: { table: 'layer', onDelete: 'cascade' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'integer' },
          layerId: { type: 'string' },
          rank: { type: ['integer', 'null'], default: 50 },
          size: { type: 'number', default: 5 },
          note: { type: 'string' },
          label: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
        },
      },
    },
  },
})

async function open(driver: SqliteDriverFactory) {
  const store = await createStore({ schema, driver })
  store.table('layer').insert(['a', 'b', 'c'].map((id) => ({ id, title: id })))
  store
    .table('pin')
    .insert(Array.from({ length: ROWS }, (_, id) => ({ id, rank: (id * 7) % 100, layerId: 'abc'[id % 3]! })))
  return store
}

type Subject = Awaited<ReturnType<typeof open>>

const queries = [
  {},
  { orderBy: 'rank' },
  { orderBy: '-rank', limit: 10 },
  { where: { layerId: 'a' }, orderBy: 'rank', limit: 5 },
  { where: { layerId: 'a' }, orderBy: 'rank', limit: 5, offset: 3 },
  { where: { rank: { gte: 30, lt: 60 } }, orderBy: ['layerId', '-size'], limit: 8 },
  { where: { rank: { isNull: true } }, orderBy: 'id', limit: 4 },
  {
    where: { or: [{ size: { gt: 7 } }, { 'label.text': { startsWith: 'x' } }] },
    orderBy: ['label.text', 'rank'],
    limit: 6,
  },
  { where: { not: { size: 5 } }, orderBy: '-size', limit: 3, offset: 40 },
  { where: { id: { in: [1, 2, 3, 500] } }, limit: 2 },
] as const

const titles = sql`select pin.id, layer.title from pin join layer on layer.id = pin.layerId where pin.rank > 90 order by pin.id`
const sums = sql`select layerId, count(*) as n, sum(size) as total from pin group by layerId order by layerId`

/** What a limited query reads when its window runs short: its rows, those before them, and some to spare. */
function windowOf(query: (typeof queries)[number]): number {
  if (!('limit' in query)) return Infinity
  return ('offset' in query ? query.offset : 0) + query.limit + Math.max(query.limit, 20)
}

/** How much the texts that pass were read more often, or gave more rows, with live queries than without. */
function extra(
  counted: ReadsByText,
  plain: ReadsByText,
  what: 'reads' | 'rows',
  passes: (text: string) => boolean,
): number {
  let sum = 0
  for (const [text, work] of counted) if (passes(text)) sum += Math.max(0, work[what] - (plain.get(text)?.[what] ?? 0))
  return sum
}

const isWindow = (text: string): boolean => / ORDER BY .* LIMIT \? OFFSET \?$/.test(text)
const isSql = (text: string): boolean => text === titles.sql || text === sums.sql

/** One random change, the same in any store. */
function change(store: Subject, random: Random): void {
  const pins = store.table('pin')
  const id = random.int(ROWS + 20)
  const layerId = random.pick(['a', 'b', 'c'] as const)
  const row = {
    id,
    rank: random.chance(10) ? null : random.int(100),
    ...(store.table('layer').has(layerId) && { layerId }),
  }
  switch (random.int(12)) {
    case 0:
      pins.upsert(row)
      break
    case 1:
      pins.delete(id)
      break
    case 2:
      pins.updateMany({ rank: { lt: random.int(8) } }, { size: random.int(12) })
      break
    case 3:
      store.transaction(() => {
        for (let n = 0; n < 5; n++) {
          const one = random.int(ROWS)
          if (pins.has(one)) pins.set(one, 'rank', random.int(100))
        }
      })
      break
    case 4: {
      const draft = store.draft()
      if (pins.has(id)) draft.table('pin').update(id, { rank: random.int(100), size: random.int(12) })
      if (random.chance(50)) draft.commit()
      else draft.cancel()
      break
    }
    case 5:
      store.exec(sql`update pin set size = size + 1 where id = ${id}`)
      break
    case 6:
      if (pins.has(id)) pins.update(id, { label: random.chance(50) ? { text: `x${random.int(5)}` } : undefined })
      break
    case 7:
      if (random.chance(3)) store.table('layer').delete(layerId)
      else store.table('layer').upsert({ id: layerId, title: `${layerId}${random.int(3)}` })
      break
    case 8:
      if (pins.has(id)) pins.set(id, 'note', `n${random.int(9)}`)
      break
    default:
      if (pins.has(id)) pins.set(id, random.pick(['rank', 'size'] as const), random.int(100))
  }
}

test('live queries equal fresh ones after each change, their diffs add up, and they ask SQLite no more than they must', async () => {
  const counted = countingDriver(sqlJsDriver())
  const plainCounted = countingDriver(sqlJsDriver())
  const store = await open(counted.driver)
  const plain = await open(plainCounted.driver)
  const pins = store.table('pin')
  const follow = <Row extends object>(live: LiveQuery<Row>, fresh: () => readonly Row[]) => {
    const followed = { live, fresh, replayed: live.rows }
    live.diff$.subscribe((diff) => {
      followed.replayed = applyDiff(followed.replayed, diff)
    })
    return followed
  }
  /** By the text that fills a window: how many rows it may ask for, and how many live queries share it. */
  const windows = new Map<string, number>()
  const asking = new Map<string, number>()
  const followWindow = (query: (typeof queries)[number]) => {
    counted.byText.clear()
    const followed = follow<object>(pins.live(query), () => pins.find(query))
    const text = [...counted.byText.keys()].find(isWindow)!
    windows.set(text, Math.max(windows.get(text) ?? 0, windowOf(query)))
    asking.set(text, (asking.get(text) ?? 0) + 1)
    return followed
  }
  const lives = [
    ...queries.map(followWindow),
    ...[titles, sums].map((query) => follow<object>(store.live(query), () => store.query(query))),
  ]
  let told = 0
  let changed = 0
  store.changes$.subscribe(({ changes }) => {
    told++
    changed += changes.filter(({ table }) => table === 'pin').length
  })
  let large = -1
  pins.count$({ size: { gt: 7 } }).subscribe((count) => (large = count))

  const [random, same] = [new Random(firstSeed), new Random(firstSeed)]
  const anything = (): boolean => true
  let reads = 0
  for (let step = 0; step < STEPS; step++) {
    counted.byText.clear()
    plainCounted.byText.clear()
    told = 0
    changed = 0
    change(store, random)
    change(plain, same)
    const at = `seed ${firstSeed}, step ${step}`
    const more = (what: 'reads' | 'rows', passes: typeof isSql): number =>
      extra(counted.byText, plainCounted.byText, what, passes)
    reads += more('reads', anything)
    // A query in SQL runs at most once for each thing that is told.
    for (const { sql: text } of [titles, sums])
      expect(counted.byText.get(text)?.reads ?? 0, `${at}: ${text}`).toBeLessThanOrEqual(told)
    // Each row that changed is read once for all live queries together. A window that has run short asks for what it
    // shows and for rows to spare, and reads those of them that nobody holds. That is all.
    const refilled = more('rows', isWindow)
    const touched = more('rows', (text) => !isWindow(text) && !isSql(text))
    expect(touched, at).toBeLessThanOrEqual(changed + refilled)
    if (changed < FEW_CHANGES)
      for (const [text, { reads: fills, rows }] of counted.byText)
        if (isWindow(text) && !plainCounted.byText.has(text)) {
          expect(fills, `${at}: ${text}`).toBeLessThanOrEqual(told * asking.get(text)!)
          expect(rows, `${at}: ${text}`).toBeLessThanOrEqual(fills * windows.get(text)!)
        }
    for (const [n, { live, fresh, replayed }] of lives.entries()) {
      const now = fresh()
      const where = `${at}, query ${n}`
      expect(live.rows, where).toEqual(now)
      expect(replayed, where).toEqual(now)
    }
    expect(large, at).toBe(pins.count({ size: { gt: 7 } }))
  }
  // Beside the changes themselves: the two queries in SQL where they are concerned, the rows that changed, and now and
  // then a window that has run out. Twelve queries asked anew each time would be 120,000.
  expect(reads).toBeLessThan(STEPS)
  await Promise.all([store.close(), plain.close()])
}, 300_000)

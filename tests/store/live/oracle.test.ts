import {
  createStore,
  defineSchema,
  sql,
  sqlJsDriver,
  type LiveQuery,
  type SqliteDriver,
  type SqliteStatement,
} from 'rowcast'
import { expect, test } from 'vitest'
import { applyDiff } from '../../../src/store/live/index.ts'
import { firstSeed, Random } from '../../support/random.ts'

const STEPS = 10_000
const ROWS = 300

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

/** A real driver that counts the reads of each statement. */
function countingReads(reads: Map<string, number>): typeof sqlJsDriver {
  const count = <Result>(text: string, read: () => Result): Result => {
    reads.set(text, (reads.get(text) ?? 0) + 1)
    return read()
  }
  const wrap = (statement: SqliteStatement): SqliteStatement => ({
    columns: statement.columns,
    text: statement.text,
    run: (parameters) => statement.run(parameters),
    get: (parameters) => count(statement.text, () => statement.get(parameters)),
    all: (parameters) => count(statement.text, () => statement.all(parameters)),
    iterate: (parameters) => count(statement.text, () => statement.iterate(parameters)),
    finalize: () => statement.finalize(),
  })
  const wrapDriver = (driver: SqliteDriver): SqliteDriver => ({
    name: driver.name,
    durable: driver.durable,
    exec: (text) => driver.exec(text),
    prepare: (text) => wrap(driver.prepare(text)),
    createFunction: (name, arity, fn) => driver.createFunction(name, arity, fn),
    serialize: () => driver.serialize(),
    attach: (name, bytes) => driver.attach(name, bytes),
    openMemory: (bytes) => driver.openMemory(bytes),
    close: () => driver.close(),
  })
  return (options) => ({ open: async (bytes) => wrapDriver(await sqlJsDriver(options).open(bytes)) })
}

async function open(reads: Map<string, number>) {
  const store = await createStore({ schema, driver: countingReads(reads)() })
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
  const reads = new Map<string, number>()
  const plainReads = new Map<string, number>()
  const store = await open(reads)
  const plain = await open(plainReads)
  const pins = store.table('pin')
  const follow = <Row extends object>(live: LiveQuery<Row>, fresh: () => readonly Row[]) => {
    const followed = { live, fresh, replayed: live.rows }
    live.diff$.subscribe((diff) => {
      followed.replayed = applyDiff(followed.replayed, diff)
    })
    return followed
  }
  const lives = [
    ...queries.map((query) => follow<object>(pins.live(query), () => pins.find(query))),
    ...[titles, sums].map((query) => follow<object>(store.live(query), () => store.query(query))),
  ]
  let told = 0
  store.changes$.subscribe(() => told++)
  let large = -1
  pins.count$({ size: { gt: 7 } }).subscribe((count) => (large = count))

  const total = (counted: ReadonlyMap<string, number>): number => [...counted.values()].reduce((sum, n) => sum + n, 0)
  const [random, same] = [new Random(firstSeed), new Random(firstSeed)]
  let extra = 0
  for (let step = 0; step < STEPS; step++) {
    reads.clear()
    plainReads.clear()
    told = 0
    change(store, random)
    change(plain, same)
    extra += total(reads) - total(plainReads)
    // A query in SQL runs at most once for each thing that is told.
    for (const { sql: text } of [titles, sums]) expect(reads.get(text) ?? 0, text).toBeLessThanOrEqual(told)
    for (const [n, { live, fresh, replayed }] of lives.entries()) {
      const now = fresh()
      const where = `seed ${firstSeed}, step ${step}, query ${n}`
      expect(live.rows, where).toEqual(now)
      expect(replayed, where).toEqual(now)
    }
    expect(large, `seed ${firstSeed}, step ${step}`).toBe(pins.count({ size: { gt: 7 } }))
  }
  // Beside the changes themselves: the two queries in SQL where they are concerned, the rows that changed, and now and
  // then a window that has run out. Twelve queries asked anew each time would be 120,000.
  expect(extra).toBeLessThan(STEPS)
  await Promise.all([store.close(), plain.close()])
}, 300_000)

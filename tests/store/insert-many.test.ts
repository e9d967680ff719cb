import { ConstraintError, createStore, defineSchema, type ChangeSet, type SqliteDriverFactory } from 'rowcast'
import { expect, test } from 'vitest'
import { countingDriver, describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      unique: [['slug']],
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, slug: { type: 'string' }, rank: { type: 'integer', default: 7 } },
      },
    },
  },
})

const open = (driver: SqliteDriverFactory) => createStore({ schema, driver })

/** Three kinds of rows, of which those of one kind mostly stand together. */
const rowAt = (n: number): { id: string; slug?: string; rank?: number } =>
  n % 100 < 60
    ? { id: `i${n}`, slug: `s${n}`, rank: n + 100 }
    : n % 100 < 90
      ? { id: `i${n}`, slug: `s${n}` }
      : { id: `i${n}` }

describeEachDriver('many rows in one call', (driver) => {
  test('are told in their order, each with what it holds', async () => {
    const store = await open(driver())
    const items = store.table('item')
    const told: ChangeSet[] = []
    store.changes$.subscribe((set) => told.push(set))
    const rows = Array.from({ length: 1_000 }, (_, n) => rowAt(n))
    expect(items.insert(rows)).toEqual(rows.map(({ id }) => id))
    expect(told).toHaveLength(1)
    expect(told[0]!.changes.map(({ key }) => key)).toEqual(rows.map(({ id }) => id))
    for (const { key, op, after } of told[0]!.changes) {
      expect(op).toBe('insert')
      expect(after).toEqual(rowAt(Number(String(key).slice(1))))
    }
    expect(store.query({ sql: 'SELECT id, slug, rank FROM item ORDER BY length(id), id' })).toEqual(
      rows.map(({ id, slug, rank }) => ({ id, slug: slug ?? null, rank: rank ?? 7 })),
    )
    for (const row of rows) expect(items.get(row.id)).toEqual({ rank: 7, ...row })
    await store.close()
  })

  test('take fewer statements than there are rows', async () => {
    const counted = countingDriver(driver())
    const store = await open(counted.driver)
    const before = counted.work.runs
    store.table('item').insert(Array.from({ length: 1_000 }, (_, n) => ({ id: `i${n}`, rank: n + 100 })))
    expect(counted.work.runs - before).toBeLessThan(60)
    await store.close()
  })

  test('where one of them is at fault, it is named and nothing is inserted', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert({ id: 'known', slug: 's457' })
    const told: ChangeSet[] = []
    store.changes$.subscribe((set) => told.push(set))
    const rows = Array.from({ length: 1_000 }, (_, n) => ({ id: `i${n}`, slug: `s${n}` }))
    expect(() => items.insert(rows)).toThrow(ConstraintError)
    expect(() => items.insert(rows)).toThrow(/slug/)
    expect(items.keys()).toEqual(['known'])
    expect(told).toEqual([])
    items.insert(rows.filter(({ slug }) => slug !== 's457'))
    expect(items.count()).toBe(1_000)
    expect(told[0]!.changes).toHaveLength(999)
    await store.close()
  })

  test('in a transaction that goes on after the fault, what was before it stays', async () => {
    const store = await open(driver())
    const items = store.table('item')
    const told: ChangeSet[] = []
    store.changes$.subscribe((set) => told.push(set))
    const rows = Array.from({ length: 100 }, (_, n) => ({ id: `i${n}`, rank: n + 100 }))
    store.transaction(() => {
      items.insert({ id: 'first', rank: 1 })
      expect(() => items.insert([...rows, { id: 'first', rank: 2 }])).toThrow(ConstraintError)
      items.insert(rows.slice(0, 50))
    })
    expect(items.count()).toBe(51)
    expect(told[0]!.changes.map(({ key }) => key)).toEqual(['first', ...rows.slice(0, 50).map(({ id }) => id)])
    await store.close()
  })
})

import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { createStore, defineSchema, sql } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { internals, type Store } from '../../src/store/index.ts'
import type { RowMemory } from '../../src/store/rows/row-memory.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    pin: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        properties: {
          id: { type: 'integer' },
          name: { type: 'string' },
          at: { type: 'array', items: { type: 'number' } },
        },
        required: ['id', 'name', 'at'],
        additionalProperties: false,
      },
    },
  },
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** An object that was looked at through a WeakRef is there until the turn ends. */
async function collected(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await nextTurn()
    collect()
  }
  return process.memoryUsage().heapUsed
}

async function openPins(count: number, rowBytes?: number) {
  const store = await createStore({ schema, driver: nodeSqliteDriver(), history: { limit: 0 } })
  const memory: RowMemory = internals(store as unknown as Store).engine.rowMemory
  if (rowBytes !== undefined) memory.most = rowBytes
  store.table('pin').insert(Array.from({ length: count }, (_, id) => ({ id, name: `pin ${id}`, at: [id, -id] })))
  return { store, pins: store.table('pin'), memory }
}

test('a store that has read 60,000 rows keeps no more of them than its bound', { timeout: 120_000 }, async () => {
  const bound = 2 * 1024 * 1024
  const { store, pins, memory } = await openPins(60_000, bound)
  const before = await collected()
  for (let id = 0; id < 60_000; id++) {
    pins.get(id)
    if (id % 5_000 === 0) await nextTurn()
  }
  expect(memory.bytes).toBeLessThanOrEqual(bound)
  expect(memory.bytes).toBeGreaterThan(bound / 2)
  expect((await collected()) - before).toBeLessThan(5 * bound)
  expect(pins.all()).toHaveLength(60_000)
  expect(memory.bytes).toBeLessThanOrEqual(bound)
  expect((await collected()) - before).toBeLessThan(5 * bound)
  await store.close()
  expect(memory.bytes).toBe(0)
})

test('a row that somebody holds is the same object, however many were read since', async () => {
  const { store, pins } = await openPins(2_000, 10_000)
  const held = [3, 700, 1_999].map((id) => pins.get(id)!)
  const told: unknown[] = []
  pins.row$(50).subscribe((row) => told.push(row))
  for (let round = 0; round < 3; round++) {
    for (let id = 0; id < 2_000; id++) expect(pins.get(id)!.name).toBe(`pin ${id}`)
    expect(pins.all()).toHaveLength(2_000)
    await collected()
  }
  for (const row of held) expect(pins.get(row.id)).toBe(row)
  expect(pins.get(50)).toBe(told[0])
  expect(told).toHaveLength(1)
  await store.close()
})

test('of a row that nobody holds, an object in it that somebody holds is the same object', async () => {
  const { store, pins } = await openPins(10, 0)
  const { at } = pins.get(5)!
  await collected()
  expect(pins.get(5)!.at).toBe(at)
  await collected()
  pins.update(5, { name: 'moved' })
  await collected()
  expect(pins.get(5)).toEqual({ id: 5, name: 'moved', at: [5, -5] })
  expect(pins.get(5)!.at).toBe(at)
  await store.close()
})

test('a row that somebody holds is the very same after a rollback, also where the store had let go of it', async () => {
  const { store, pins } = await openPins(10, 0)
  const row = pins.get(5)!
  for (const undone of [
    () => pins.update(5, { name: 'other' }),
    () => pins.delete(5),
    () => void store.exec(sql`UPDATE pin SET name = 'other' WHERE id = 5`),
  ]) {
    pins.get(6)
    expect(() =>
      store.transaction(() => {
        undone()
        expect(pins.get(5)).not.toBe(row)
        throw new Error('undone')
      }),
    ).toThrow('undone')
    expect(pins.get(5)).toBe(row)
  }
  await store.close()
})

test('a row that was first read after SQL had changed it is not as then once that is undone', async () => {
  const { store, pins } = await openPins(10)
  expect(() =>
    store.transaction(() => {
      store.exec(sql`UPDATE pin SET name = 'other' WHERE id = 5`)
      expect(pins.get(5)!.name).toBe('other')
      throw new Error('undone')
    }),
  ).toThrow('undone')
  expect(pins.get(5)!.name).toBe('pin 5')
  await store.close()
})

test('a text that grows counts as long as it is there', async () => {
  const { store, pins, memory } = await openPins(3)
  pins.get(1)
  const before = memory.bytes
  for (let step = 0; step < 100; step++) {
    pins.update(1, { name: 'x'.repeat(100_000 + step) })
    pins.get(1)
  }
  expect(memory.bytes - before).toBeGreaterThan(100_000)
  expect(memory.bytes - before).toBeLessThan(300_000)
  pins.update(1, { name: 'short' })
  pins.get(1)
  expect(memory.bytes).toBeLessThan(before + 1_000)
  await store.close()
})

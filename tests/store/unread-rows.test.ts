import { expect, test } from 'vitest'
import { createStore, defineSchema } from 'rowcast'

const schema = defineSchema({
  version: 1,
  tables: {
    pin: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        properties: { id: { type: 'integer' }, x: { type: 'number' }, y: { type: 'number' } },
        required: ['id', 'x', 'y'],
        additionalProperties: false,
      },
    },
  },
})

test('a row that goes unread through many steps reads as its last step, one that was undone left out', async () => {
  const store = await createStore({ schema })
  const pins = store.table('pin')
  pins.insert({ id: 1, x: 0, y: 0 })
  pins.get(1)
  const draft = store.draft()
  for (let step = 1; step <= 50; step++) draft.table('pin').update(1, { x: step, y: -step })
  expect(() =>
    draft.transaction(() => {
      draft.table('pin').update(1, { x: 1_000 })
      draft.table('pin').update(1, { y: 1_000 })
      throw new Error('undone')
    }),
  ).toThrow('undone')
  expect(pins.get(1)).toEqual({ id: 1, x: 50, y: -50 })
  draft.cancel()
  expect(pins.get(1)).toEqual({ id: 1, x: 0, y: 0 })
  await store.close()
})

test('streams of a table and of the store tell of the same changes, in the same order', async () => {
  const store = await createStore({ schema })
  const pins = store.table('pin')
  pins.insert([1, 2, 3].map((id) => ({ id, x: 0, y: 0 })))
  const told: unknown[][] = []
  pins.changes$.subscribe(({ inserted, updated, deleted }) => told.push([...inserted, ...updated, ...deleted]))
  store.changes$.subscribe(({ changes }) => told.push([...changes]))
  store.draft().transaction(() => {
    for (const id of [3, 1, 2]) pins.update(id, { x: id })
  })
  expect(told).toHaveLength(2)
  expect(told[0]).toEqual(told[1])
  expect(told[0]).toMatchObject([3, 1, 2].map((id) => ({ key: id, op: 'update', after: { x: id } })))
  await store.close()
})

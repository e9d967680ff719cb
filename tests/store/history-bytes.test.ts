import { expect, test } from 'vitest'
import { createStore, defineSchema } from 'rowcast'

const schema = defineSchema({
  version: 1,
  tables: {
    note: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        properties: { id: { type: 'integer' }, text: { type: 'string' } },
        required: ['id', 'text'],
        additionalProperties: false,
      },
    },
  },
})

async function openNotes(bytes: number) {
  const store = await createStore({ schema, history: { bytes } })
  const steps = { done: 0, undone: 0 }
  store.history.steps$.subscribe(({ done, undone }) =>
    Object.assign(steps, { done: done.length, undone: undone.length }),
  )
  return { store, notes: store.table('note'), steps }
}

test('of steps that take more than the bound the oldest are forgotten', async () => {
  const { store, notes, steps } = await openNotes(100_000)
  for (let id = 0; id < 50; id++) notes.insert({ id, text: 'x'.repeat(9_000) })
  expect(steps.done).toBeGreaterThan(8)
  expect(steps.done).toBeLessThan(12)
  const kept = steps.done
  while (store.history.undo());
  expect(notes.count()).toBe(50 - kept)
  while (store.history.redo());
  expect(steps.undone).toBe(0)
  expect(notes.count()).toBe(50)
  await store.close()
})

test('the newest step is kept however large it is, also one of many rows that nobody has looked at', async () => {
  const { store, notes, steps } = await openNotes(100_000)
  notes.insert({ id: -1, text: 'x' })
  notes.insert(Array.from({ length: 500 }, (_, id) => ({ id, text: 'x'.repeat(1_000) })))
  expect(steps.done).toBe(1)
  store.history.undo()
  expect(notes.count()).toBe(1)
  store.history.redo()
  expect(notes.count()).toBe(501)
  notes.insert({ id: 1_000, text: 'x' })
  expect(steps.done).toBe(1)
  await store.close()
})

test('a step that is undone and done again without end takes no more than the bound lets it', async () => {
  const { store, notes, steps } = await openNotes(100_000)
  notes.insert({ id: 1, text: 'a' })
  for (let step = 0; step < 3; step++) notes.update(1, { text: `b${step}` })
  for (let round = 0; round < 300; round++) {
    store.history.undo()
    store.history.redo()
  }
  expect(steps.done).toBe(4)
  expect(notes.get(1)!.text).toBe('b2')
  store.history.undo()
  expect(notes.get(1)!.text).toBe('b1')
  await store.close()
})

test('a bound that is no number of bytes is refused', async () => {
  await expect(createStore({ schema, history: { bytes: -1 } })).rejects.toThrow('history: expected { limit, bytes }')
})

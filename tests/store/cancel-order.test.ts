import { createStore, defineSchema } from 'rowcast'
import { expect, test } from 'vitest'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      unique: [['x', 'y']],
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, x: { type: 'integer' }, y: { type: 'integer' } },
      },
    },
  },
})

test('a cancel that passes a unique value between its own rows takes nothing from other drafts', async () => {
  const store = await createStore({ schema })
  const items = store.table('item')
  items.insert([
    { id: 'a', x: 0, y: 1 },
    { id: 'b', x: 2, y: 1 },
  ])
  const other = store.draft()
  other.table('item').reset('b', 'x')
  const draft = store.draft()
  draft.table('item').set('a', 'y', 2)
  draft.table('item').set('b', 'x', 0)
  draft.cancel()
  expect(items.all()).toEqual([
    { id: 'a', x: 0, y: 1 },
    { id: 'b', y: 1 },
  ])
  expect(other.changes().changes).toHaveLength(1)
  await store.close()
})

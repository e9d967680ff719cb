import { createStore, defineSchema, ValidationError } from 'rowcast'
import { expect, test } from 'vitest'

const schema = defineSchema({
  version: 1,
  tables: {
    layer: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
    },
    item: {
      primaryKey: 'id',
      references: { layer: { table: 'layer', onDelete: 'setNull' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, layer: { type: 'string' }, rank: { type: 'integer' } },
        dependentRequired: { rank: ['layer'] },
      },
    },
  },
})

test('a delete that clears a reference is refused where the row would not be valid without it', async () => {
  const store = await createStore({ schema, data: { layer: [{ id: 'l' }], item: [{ id: 'i', layer: 'l', rank: 1 }] } })
  const draft = store.draft()
  for (const workspace of [store, draft]) {
    expect(() => workspace.table('layer').delete('l')).toThrow(ValidationError)
    expect(workspace.table('layer').has('l')).toBe(true)
    expect(workspace.table('item').get('i')).toEqual({ id: 'i', layer: 'l', rank: 1 })
  }
  expect(draft.isDirty).toBe(false)
  store.table('item').reset('i', 'rank')
  store.table('layer').delete('l')
  expect(store.table('item').get('i')).toEqual({ id: 'i' })
  await store.close()
})

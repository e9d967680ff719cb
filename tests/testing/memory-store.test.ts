import { defineSchema, ValidationError } from 'rowcast'
import { createMemoryStore } from 'rowcast/testing'
import { expect, test } from 'vitest'

const schema = defineSchema({
  version: 1,
  tables: {
    scene: {
      singleton: true,
      schema: { type: 'object', properties: { title: { type: 'string', default: 'Untitled' } } },
    },
    node: {
      primaryKey: 'id',
      references: { parent: { table: 'node' } },
      schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' }, parent: { type: 'string' } } },
    },
  },
})

test('createMemoryStore opens a real store with rows, in whatever order they refer to each other', async () => {
  const store = await createMemoryStore(schema, {
    node: [{ id: 'child', parent: 'root' }, { id: 'root' }],
    scene: { title: 'Test' },
  })
  expect(store.table('node').get('child')).toEqual({ id: 'child', parent: 'root' })
  expect(store.value('scene').get()).toEqual({ title: 'Test' })
  expect(store.history.canUndo).toBe(false)
  await store.close()
})

test('createMemoryStore refuses rows that the schema refuses', async () => {
  await expect(createMemoryStore(schema, { node: [{ id: 5 as unknown as string }] })).rejects.toThrow(ValidationError)
})

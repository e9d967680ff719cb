import { createStore, defineSchema } from 'rowcast'
import { expect, test } from 'vitest'
import document from '../types/document.json'

test('a schema that is imported from a .json file is used as any other', async () => {
  const schema = defineSchema(document)
  const store = await createStore({ schema, data: { layer: [{ id: 'roads' }], scene: { title: 'Map' } } })
  const t = store.table('annotation')
  t.insert({ id: 'a', layerId: 'roads', nested: {} })
  t.set('a', 'nested.deep', false)
  t.update('a', { rank: 2 })
  const row: Readonly<Record<string, unknown>> | undefined = t.get('a')
  expect(row).toEqual({ id: 'a', layerId: 'roads', rank: 2, nested: { deep: false } })
  expect(t.find({ where: { rank: { gt: 1 } }, orderBy: '-rank' })).toEqual([row])
  expect(store.value('scene').get()).toEqual({ title: 'Map' })
  await store.close()
})

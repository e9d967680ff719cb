import { createStore, defineSchema, RowcastError, sql } from 'rowcast'
import initSqlJs from 'sql.js'
import { expect, test } from 'vitest'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, rank: { type: 'integer', maximum: 9 }, list: { type: 'array' } },
      },
    },
  },
})

async function edited(change: string): Promise<Uint8Array> {
  const store = await createStore({ schema, data: { item: [{ id: 'a', rank: 1, list: [1] }] } })
  const { Database } = await initSqlJs()
  const database = new Database(store.export())
  await store.close()
  database.run(change)
  return database.export()
}

test.each([
  ['text that is no JSON', `update item__base set list = '{bad', rank = 5`],
  ['a value that the schema refuses', 'update item__base set rank = 50'],
])('an import of a file with %s is refused and changes nothing', async (_what, change) => {
  const file = await edited(change)
  const store = await createStore({ schema, data: { item: [{ id: 'a', rank: 2 }] } })
  const heard: unknown[] = []
  store.changes$.subscribe((set) => heard.push(set))
  expect(() => {
    store.import(file)
  }).toThrow(RowcastError)
  expect(store.table('item').all()).toEqual([{ id: 'a', rank: 2 }])
  expect(store.query(sql`select rank from item`)).toEqual([{ rank: 2 }])
  expect(heard).toEqual([])
  store.table('item').set('a', 'rank', 3)
  expect(heard).toHaveLength(1)
  await store.close()
})

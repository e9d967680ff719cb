import { createStore, defineSchema, SchemaError, sql } from 'rowcast'
import { expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    big: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'integer', format: 'int64' }, v: { type: 'integer' } },
      },
    },
  },
})

describeEachDriver('a 64-bit key', (driver) => {
  test('beyond 2^53 is told apart from its neighbours', async () => {
    const store = await createStore({ schema, driver: driver() })
    const rows = store.table('big')
    const near = 2n ** 53n
    rows.insert([
      { id: near, v: 1 },
      { id: near + 1n, v: 2 },
    ])
    rows.update(near + 1n, { v: 99 })
    expect(rows.get(near)).toEqual({ id: near, v: 1 })
    expect(rows.get(near + 1n)).toEqual({ id: near + 1n, v: 99 })
    store.exec(sql`update big set v = 7 where id = ${near + 1n}`)
    expect(rows.delete(near + 1n)).toBe(1)
    expect(rows.all()).toEqual([{ id: near, v: 1 }])
    await store.close()
  })
})

test('a property called rowid is refused, since SQLite means something else by it', () => {
  const tables = {
    t: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' }, RowId: { type: 'integer' } } },
    },
  } as const
  expect(() => defineSchema({ version: 1, tables })).toThrow(SchemaError)
})

test('a name in single quotes is a name all the same', async () => {
  const store = await createStore({ schema })
  expect(() => store.exec({ sql: "delete from 'rowcast_meta'" })).toThrow(/rowcast's own/)
  expect(() => store.query({ sql: "select * from 'sqlite_master'" })).toThrow(/rowcast's own/)
  await store.close()
})

import { eq, gte } from 'drizzle-orm'
import { integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import { defineSchema, SqlError } from 'rowcast'
import { createMemoryStore } from 'rowcast/testing'
import { expect, onTestFinished, test } from 'vitest'

const schema = defineSchema({
  version: 1,
  tables: {
    pin: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          visible: { type: 'boolean', default: true },
          text: { type: 'object', properties: { size: { type: 'number', minimum: 1, default: 12 } } },
        },
      },
    },
  },
})

const pin = sqliteTable('pin', {
  id: text().primaryKey(),
  visible: integer({ mode: 'boolean' }),
  size: real('text_size'),
})

async function open() {
  const store = await createMemoryStore(schema, { pin: [{ id: 'a' }, { id: 'b', text: { size: 20 } }] })
  onTestFinished(() => store.close())
  // Only compiles: the store runs what it gives.
  return { store, db: drizzle(async () => ({ rows: [] })) }
}

test("what Drizzle's toSQL() gives is read, followed and written as it is", async () => {
  const { store, db } = await open()
  const large = db.select().from(pin).where(gte(pin.size, 20)).toSQL()
  expect(large.params).toEqual([20])
  expect(store.query(large)).toEqual([{ id: 'b', visible: 1, text_size: 20 }])
  const counts: number[] = []
  store.live(large).rows$.subscribe((rows) => counts.push(rows.length))
  expect(store.exec(db.update(pin).set({ size: 30, visible: false }).where(eq(pin.id, 'a')).toSQL()).changes).toBe(1)
  expect(counts).toEqual([1, 2])
  expect(store.table('pin').get('a')).toEqual({ id: 'a', visible: false, text: { size: 30 } })
  expect(store.exec(db.insert(pin).values({ id: 'c', visible: false }).toSQL()).changes).toBe(1)
  expect(store.table('pin').get('c')).toEqual({ id: 'c', visible: false, text: { size: 12 } })
})

test('parameters under this name are checked as any others', async () => {
  const { store } = await open()
  const statement = 'select id from pin where text_size > ?'
  expect(store.query({ sql: statement, params: [15] })).toEqual([{ id: 'b' }])
  expect(() => store.query({ sql: statement, params: [] })).toThrow(SqlError)
  expect(() => store.query({ sql: statement, params: [undefined] })).toThrow(/parameter 1 is undefined/)
})

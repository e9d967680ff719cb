import { createStore, defineSchema, SchemaError, ValidationError, type Schema, type Store } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { expect, test } from 'vitest'

function schemaOf(properties: object): Schema {
  const schema = { type: 'object', required: ['id'], properties: { id: { type: 'string' }, ...properties } }
  return defineSchema({ version: 1, tables: { t: { primaryKey: 'id', schema } } } as never)
}

function columns(count: number, of: object): object {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, of]))
}

test.each([1000, 1400, 1998])('a table may have %i columns', (count) => {
  const schema = schemaOf(columns(count, { type: 'integer', default: 0 }))
  expect(schema.tables.get('t')!.model.columns.length).toBeGreaterThan(count)
})

test.each([
  ['columns', columns(2_100, { type: 'integer' })],
  ['alternatives', { v: { anyOf: Array.from({ length: 20_000 }, (_, n) => ({ const: n })) } }],
])('a table of too many %s is refused with a SchemaError', (_what, properties) => {
  expect(() => schemaOf(properties)).toThrow(SchemaError)
})

test.each([
  ['sql.js', undefined],
  ['node:sqlite', nodeSqliteDriver()],
] as const)('rows of 1,990 columns are written and found on %s', { timeout: 120_000 }, async (_name, driver) => {
  const schema = schemaOf(columns(1_990, { type: 'integer' }))
  const store = (await createStore({ schema, ...(driver && { driver }) })) as Store
  const t = store.table('t')
  t.insert({ id: 'a', p5: 1 } as never)
  t.set('a', 'p1989' as never, 2 as never)
  const draft = store.draft()
  draft.table('t').insert({ id: 'b', p1989: 2 } as never)
  draft.commit()
  expect(t.find({ where: { p1989: 2 } as never }).length).toBe(2)
  expect(() => t.insert({ id: 'c', p1989: 'x' } as never)).toThrow(ValidationError)
  await store.close()
})

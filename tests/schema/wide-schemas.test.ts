import { createStore, defineSchema, SchemaError, ValidationError, type Schema, type Store } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { expect, onTestFinished, test, vi } from 'vitest'

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

test('to judge one of many columns, the others are not compiled again', async () => {
  const store = (await createStore({ schema: schemaOf(columns(1_400, { type: 'integer', maximum: 5 })) })) as Store
  const t = store.table('t')
  t.insert({ id: 'a' } as never)
  const sizes: number[] = []
  vi.stubGlobal(
    'Function',
    new Proxy(Function, {
      construct(target, parts: string[]) {
        sizes.push(parts.at(-1)!.length)
        return new target(...parts)
      },
    }),
  )
  onTestFinished(() => void vi.unstubAllGlobals())
  t.set('a', 'p7' as never, 1 as never)
  expect(() => t.set('a', 'p8' as never, 6 as never)).toThrow(ValidationError)
  expect(sizes.length).toBeGreaterThan(0)
  expect(Math.max(...sizes)).toBeLessThan(10_000)
  await store.close()
})

test('up to a thousand alternatives are a schema', () => {
  const alternatives = Array.from({ length: 1_000 }, (_, n) => ({ const: n }))
  for (const keyword of ['anyOf', 'oneOf']) expect(() => schemaOf({ v: { [keyword]: alternatives } })).not.toThrow()
})

test('a chain of $ref that is too long to compile is refused with what to do', () => {
  const names = Array.from({ length: 20_000 }, (_, n) => `d${n}`)
  const $defs = Object.fromEntries(
    names.map((name, n) => [name, n === names.length - 1 ? { type: 'string' } : { $ref: `#/$defs/d${n + 1}` }]),
  )
  const properties = { id: { type: 'string' }, v: { type: 'array', items: { $ref: '#/$defs/d0' } } }
  const schema = { type: 'object', required: ['id'], properties, $defs }
  const define = (): unknown => defineSchema({ version: 1, tables: { t: { primaryKey: 'id', schema } } } as never)
  expect(define).toThrow(SchemaError)
  expect(define).toThrow('chains of $ref')
})

test.each([
  ['sql.js', undefined],
  ['node:sqlite', nodeSqliteDriver()],
] as const)('an optional object may have 1,990 columns on %s', { timeout: 120_000 }, async (_name, driver) => {
  const schema = schemaOf({ o: { type: 'object', properties: columns(1_990, { type: 'integer' }) } })
  const data = { t: [{ id: 'first', o: { p0: 0 } }] }
  const store = (await createStore({ schema, data, ...(driver && { driver }) })) as Store
  const t = store.table('t')
  t.insert({ id: 'a' })
  t.update('a', { o: { p7: 1 } })
  t.upsert({ id: 'b', o: { p8: 1 } })
  store.exec({ sql: "insert into t (id, o_p1989) values ('c', 3)" })
  const draft = store.draft()
  draft.table('t').insert({ id: 'd', o: { p1989: 2 } })
  draft.commit()
  expect(t.all()).toEqual([
    { id: 'a', o: { p7: 1 } },
    { id: 'b', o: { p8: 1 } },
    { id: 'c', o: { p1989: 3 } },
    { id: 'd', o: { p1989: 2 } },
    { id: 'first', o: { p0: 0 } },
  ])
  await store.close()
})

test('of a huge value in a wide table the first error is told, as of one in any table', async () => {
  const list = { type: 'array', items: { type: 'integer', minimum: 3 } }
  const store = (await createStore({ schema: schemaOf({ ...columns(1_000, { type: 'integer' }), list }) })) as Store
  const insert = (): unknown => store.table('t').insert({ id: 'a', list: Array.from({ length: 20_000 }, () => 1) })
  expect(insert).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path: 'list.0' })] }))
  await store.close()
})

test('a value that is nested too deep is a ValidationError, by whatever way it is written', async () => {
  const node = { type: 'object', properties: { next: { $ref: '#/properties/v' } } }
  const store = (await createStore({ schema: schemaOf({ v: { ...node, additionalProperties: true } }) })) as Store
  const t = store.table('t')
  t.insert({ id: 'a', v: {} })
  let deep: object = {}
  for (let n = 0; n < 100_000; n++) deep = { next: deep }
  const writes: readonly (() => unknown)[] = [
    () => t.insert({ id: 'b', v: deep }),
    () => t.upsert({ id: 'a', v: deep }),
    () => t.set('a', 'v', deep),
    () => t.update('a', { v: deep }),
    () => t.update('a', () => ({ id: 'a', v: deep })),
    () => store.draft().table('t').set('a', 'v', deep),
  ]
  for (const write of writes) {
    expect(write).toThrow(ValidationError)
    expect(write).toThrow('nested too deeply')
  }
  await store.close()
})

test('renames are known by any spelling of their paths', () => {
  const table = (renames: object): object => ({
    primaryKey: 'id',
    renames,
    schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' }, a: {}, b: {} } },
  })
  for (const renames of [
    { a: 'old', b: '\\old' },
    { a: 'old', '\\a': 'older' },
  ])
    expect(() => defineSchema({ version: 1, tables: { t: table(renames) } } as never)).toThrow(/two properties|twice/)
})

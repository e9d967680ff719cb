import { createStore, defineSchema, SchemaError, ValidationError, type Schema, type Store } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { describe, expect, test } from 'vitest'

function schemaOf(v: object, around: object = {}): ReturnType<typeof defineSchema> {
  const properties = { id: { type: 'string' }, v, ...around }
  const schema = { type: 'object', required: ['id'], properties }
  return defineSchema({ version: 1, tables: { t: { primaryKey: 'id', schema } } } as never)
}

const EDGE = 2 ** 53
const edge = 2n ** 53n
const INT64 = { type: 'integer', format: 'int64' }
const BASE64 = { type: 'string', contentEncoding: 'base64' }

describe.each([
  ['sql.js', undefined],
  ['node:sqlite', nodeSqliteDriver()],
] as const)('a default on %s', (_name, driver) => {
  const open = (v: object, around?: object): Promise<Store> =>
    createStore({ schema: schemaOf(v, around), ...(driver && { driver }) }) as Promise<Store>

  test.each([
    [{ ...INT64, default: 7 }, 7n, 8n],
    [{ ...INT64, default: -9_007_199_254_740_991 }, -9_007_199_254_740_991n, 2n ** 62n],
    [{ ...INT64, type: ['integer', 'null'], default: 7 }, 7n, null],
    [{ ...INT64, default: '5' }, 5n, 6n],
    [{ ...INT64, default: '9007199254740993' }, edge + 1n, edge],
    [{ ...INT64, default: edge + 1n }, edge + 1n, edge],
    [{ ...INT64, default: -(2n ** 63n) }, -(2n ** 63n), 2n ** 63n - 1n],
    [{ ...INT64, default: '9223372036854775807' }, 2n ** 63n - 1n, 0n],
    [{ ...INT64, type: ['integer', 'null'], default: '-9007199254740993', maximum: 0 }, -edge - 1n, null],
    [{ ...BASE64, default: 'AAEC' }, new Uint8Array([0, 1, 2]), new Uint8Array([3])],
    [{ ...BASE64, default: '' }, new Uint8Array(), new Uint8Array([3])],
  ])('$0', async (v, expected, other) => {
    const store = await open(v)
    const t = store.table('t')
    t.insert({ id: 'a' } as never)
    t.insert({ id: 'b', v: other } as never)
    expect(t.get('a')).toEqual({ id: 'a', v: expected })
    expect(t.get('b')).toEqual({ id: 'b', v: other })
    t.set('b', 'v', expected as never)
    expect(t.find({ where: { v: expected } as never }).length).toBe(2)
    t.set('b', 'v', other as never)
    t.reset('b', 'v')
    expect(t.get('b')).toEqual({ id: 'b', v: expected })
    const again = (await createStore({
      schema: store.schema,
      data: store.export(),
      ...(driver && { driver }),
    })) as Store
    expect(again.table('t').get('a')).toEqual({ id: 'a', v: expected })
    expect(again.query({ sql: 'select v from t' }).length).toBe(2)
    await again.close()
    await store.close()
  })

  test('of bytes can not be changed from without', async () => {
    const store = await open({ ...BASE64, default: 'AAEC' })
    const t = store.table('t')
    t.insert([{ id: 'a' }, { id: 'b' }] as never)
    ;(t.get('a') as unknown as { v: Uint8Array }).v[0] = 9
    expect((t.get('b') as unknown as { v: Uint8Array }).v).toEqual(new Uint8Array([0, 1, 2]))
    await store.close()
  })

  test('in an object that comes by its defaults', async () => {
    const around = {
      o: { type: 'object', properties: { n: { ...INT64, default: 5 }, b: { ...BASE64, default: 'AA==' } } },
    }
    const store = await open({ type: 'integer' }, around)
    store.table('t').insert({ id: 'a', o: {} } as never)
    expect(store.table('t').get('a')).toMatchObject({ o: { n: 5n, b: new Uint8Array([0]) } })
    await store.close()
  })
})

test.each([
  { ...INT64, default: 'seven' },
  { ...INT64, default: 1.5 },
  { ...INT64, default: 2 ** 53 },
  { ...INT64, default: '9223372036854775808' },
  { ...INT64, default: 2n ** 63n },
  { ...INT64, default: '' },
  { ...INT64, default: '9007199254740993', maximum: 2 ** 53 },
  { type: 'string', default: 7n },
  { ...INT64, default: 7, maximum: 6 },
  { ...BASE64, default: '%' },
  { ...BASE64, default: 7 },
])('$0 is no default', (v) => {
  expect(() => schemaOf(v)).toThrow(SchemaError)
})

test.each([
  [{ maximum: EDGE }, [edge, edge - 1n, -edge], [edge + 1n, edge + 2n]],
  [{ minimum: EDGE }, [edge, edge + 1n], [edge - 1n, 0n]],
  [{ exclusiveMaximum: EDGE + 2 }, [edge + 1n, edge], [edge + 2n, edge + 3n]],
  [{ exclusiveMinimum: EDGE }, [edge + 1n, edge + 2n], [edge, edge - 1n]],
  [{ minimum: -EDGE }, [-edge, 0n], [-edge - 1n]],
  [{ exclusiveMaximum: 2 ** 54 }, [2n ** 54n - 1n], [2n ** 54n]],
  [{ multipleOf: 3 }, [3n * edge, 3n ** 35n], [3n * edge + 1n, 3n ** 35n - 1n]],
  [{ multipleOf: 2 }, [edge + 2n], [edge + 1n, 2n ** 62n + 1n]],
  [{ enum: [1, EDGE] }, [edge, 1n], [edge + 1n, edge - 1n]],
  [{ const: EDGE }, [edge], [edge + 1n]],
  [{ maximum: 2 ** 63 }, [2n ** 63n - 1n], []],
  [{ multipleOf: 0.5 }, [edge + 1n], []],
  [{ anyOf: [{ maximum: EDGE }, { minimum: 2 ** 60 }] }, [edge, 2n ** 60n], [edge + 1n, 2n ** 60n - 1n]],
  [{ oneOf: [{ minimum: EDGE }, { maximum: EDGE }] }, [edge + 1n, edge - 1n], [edge]],
  [{ not: { maximum: EDGE } }, [edge + 1n], [edge, 0n]],
  [{ not: { const: EDGE } }, [edge + 1n], [edge]],
  [{ not: { multipleOf: 3 } }, [3n * edge + 1n], [3n * edge]],
  [{ if: { minimum: EDGE + 2 }, then: { maximum: 2 ** 54 } }, [edge + 1n, 2n ** 54n], [2n ** 54n + 1n]],
  [{ if: { enum: [EDGE] }, then: false }, [edge + 1n], [edge]],
  [{ allOf: [{ anyOf: [{ not: { exclusiveMinimum: EDGE } }, { multipleOf: 3 }] }] }, [edge, 3n ** 35n], [edge + 2n]],
])('the bounds %j of a 64-bit integer are exact', async (bounds, valid, invalid) => {
  const store = (await createStore({ schema: schemaOf({ ...INT64, ...bounds }) })) as Store
  const t = store.table('t')
  for (const [n, v] of valid.entries()) t.insert({ id: `${n}`, v } as never)
  for (const v of invalid) {
    expect(() => t.insert({ id: 'x', v } as never)).toThrow(ValidationError)
    expect(() => t.set('0', 'v', v as never)).toThrow(ValidationError)
  }
  expect(t.find().map((row) => (row as unknown as { v: bigint }).v)).toEqual(valid)
  await store.close()
})

test('the errors of such an integer are those that a smaller one has, beside all others of the row', () => {
  const bounds = { minimum: 10, exclusiveMinimum: 10, multipleOf: 7, enum: [12], const: 12 }
  const issuesOf = (v: bigint): object[] => {
    const schema = schemaOf({ ...INT64, ...bounds }) as Schema
    return schema.tables
      .get('t')!
      .validator.row({ id: 7, v } as never, '7')
      .map(({ path, keyword, message }) => ({ path, keyword, message }))
  }
  const ordered = (issues: object[]): string[] => issues.map((issue) => JSON.stringify(issue)).toSorted()
  const [beyond, within] = [issuesOf(-edge - 2n), issuesOf(-3n)]
  expect(ordered(beyond)).toEqual(ordered(within))
  expect(beyond).toHaveLength(6)
})

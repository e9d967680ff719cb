import {
  ConstraintError,
  createStore,
  defineSchema,
  SchemaError,
  ValidationError,
  type SqliteDriverFactory,
  type Store,
} from 'rowcast'
import { deepStrictEqual } from 'node:assert/strict'
import { describe, expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'

/** What these tests use of a table whose schema they put together at run time. */
interface Rows {
  get(key: unknown): unknown
  keys(): unknown[]
  all(): unknown[]
  find(options: object): unknown[]
  insert(row: unknown): unknown
  update(key: unknown, patch: unknown): void
  upsert(row: unknown): unknown
  set(key: unknown, path: unknown, value: unknown): void
  reset(key: unknown, path?: unknown): void
  delete(key: unknown): number
}

type Keywords = { readonly [keyword: string]: unknown }

const table = (store: Store, name = 't'): Rows => store.table(name as never)

/** A store of tables given as they stand in a document. */
async function openTables(driver: SqliteDriverFactory, tables: unknown): Promise<Store> {
  return (await createStore({ schema: defineSchema({ version: 1, tables } as never), driver })) as unknown as Store
}

/** A store of one table `t` with the key `id` and the given properties. */
const open = (driver: SqliteDriverFactory, properties: Keywords, more: Keywords = {}): Promise<Store> =>
  openTables(driver, {
    t: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], ...more, properties: { id: { type: 'string' }, ...properties } },
    },
  })

/** Inserts, reads, sets, exports and reads again. */
async function keeps(
  driver: () => SqliteDriverFactory,
  property: unknown,
  values: readonly unknown[],
  more: Keywords = {},
): Promise<void> {
  const store = await open(driver(), { v: property }, more)
  const rows = table(store)
  rows.insert(values.map((v, n) => ({ id: `k${n}`, v })))
  rows.insert({ id: 'set', v: values[0] })
  const schema = store.schema
  const again = await createStore({ schema, driver: driver(), data: store.export() })
  for (const [n, v] of values.entries()) {
    deepStrictEqual(rows.get(`k${n}`), { id: `k${n}`, v })
    deepStrictEqual(table(again).get(`k${n}`), { id: `k${n}`, v })
    rows.set('set', 'v', v)
    deepStrictEqual(rows.get('set'), { id: 'set', v })
    rows.update('set', { v })
    deepStrictEqual(rows.get('set'), { id: 'set', v })
  }
}

const refuses = (run: () => unknown): ValidationError['issues'] => {
  try {
    run()
  } catch (error) {
    if (error instanceof ValidationError) return error.issues
    throw error
  }
  throw new Error('nothing was refused')
}

describeEachDriver('a column', (driver) => {
  for (const [name, schema, values] of [
    ['type array', { type: ['string', 'null'] }, [null, '', 'null', 'x']],
    ['anyOf', { anyOf: [{ type: 'string' }, { type: 'null' }] }, [null, '', 'null']],
    ['oneOf', { oneOf: [{ type: 'null' }, { type: 'integer' }] }, [null, 0, 1]],
    ['const null', { anyOf: [{ type: 'boolean' }, { const: null }] }, [null, false, true]],
    ['enum', { enum: ['a', null] }, [null, 'a']],
    ['$ref', { anyOf: [{ $ref: '#/$defs/name' }, { type: 'null' }] }, [null, 'x']],
    ['only null', { type: 'null' }, [null]],
    ['array', { type: ['array', 'null'] }, [null, [], [null], [[null]]]],
    ['free-form', { type: ['object', 'null'] }, [null, {}, { a: null }]],
    ['object', { type: ['object', 'null'], properties: { x: { type: 'number' } } }, [null, {}, { x: 1 }, { y: 2 }]],
    [
      'object by anyOf',
      { anyOf: [{ type: 'object', properties: { x: { type: 'number' } } }, { type: 'null' }] },
      [null, {}, { x: 1 }],
    ],
    ['number', { type: ['number', 'null'] }, [null, 0, 0.5, 2 ** 53, 2 ** 60, -(2 ** 63), 1e300]],
    [
      'int64',
      { type: ['integer', 'null'], format: 'int64' },
      [null, 0n, 5n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)],
    ],
    [
      'binary',
      { type: ['string', 'null'], contentEncoding: 'base64' },
      [null, new Uint8Array(0), new Uint8Array([110, 117, 108, 108]), new Uint8Array([0, 255])],
    ],
  ] as const)
    test(`that may be null (${name}) tells null, absent and values apart`, async () => {
      const more = { $defs: { name: { type: 'string' } } }
      await keeps(driver, schema, values, more)
      const store = await open(driver(), { v: schema }, more)
      const rows = table(store)
      rows.insert([{ id: 'absent' }, { id: 'null', v: null }])
      deepStrictEqual(rows.all(), [{ id: 'absent' }, { id: 'null', v: null }])
      rows.set('absent', 'v', null)
      rows.reset('null', 'v')
      deepStrictEqual(rows.all(), [{ id: 'absent', v: null }, { id: 'null' }])
      const required = await open(driver(), { v: schema }, { ...more, required: ['id', 'v'] })
      table(required).insert(values.map((v, n) => ({ id: `k${n}`, v })))
      for (const [n, v] of values.entries()) deepStrictEqual(table(required).get(`k${n}`), { id: `k${n}`, v })
    })

  for (const [name, schema, fallback, other] of [
    ['string', { type: 'string' }, 'd', ''],
    ['empty string', { type: 'string' }, '', 'x'],
    ['number', { type: 'number' }, 0, 2 ** 60],
    ['integer', { type: 'integer' }, 5, 0],
    ['boolean', { type: 'boolean' }, false, true],
    ['array', { type: 'array' }, [1], []],
    ['free-form object', { type: 'object' }, { a: { b: 1 } }, {}],
    ['null', { type: ['string', 'null'] }, null, 'x'],
    ['nullable', { type: ['string', 'null'] }, 'd', null],
    ['nullable integer', { type: ['integer', 'null'] }, 0, null],
    ['nullable boolean', { type: ['boolean', 'null'] }, true, null],
    ['nullable array', { type: ['array', 'null'] }, [], null],
    ['union', { type: ['string', 'number'] }, 1, '1'],
    ['enum', { enum: ['a', 1, null] }, 'a', null],
    ['const', { const: 'c' }, 'c', 'c'],
    ['anything', {}, { x: [] }, null],
  ] as const)
    test(`with a default (${name}) gives it where nothing was given, and takes what was`, async () => {
      const store = await open(driver(), { v: { ...schema, default: fallback } })
      const rows = table(store)
      rows.insert([{ id: 'a' }, { id: 'b', v: other }, { id: 'c', v: fallback }])
      deepStrictEqual(rows.all(), [
        { id: 'a', v: fallback },
        { id: 'b', v: other },
        { id: 'c', v: fallback },
      ])
      rows.set('a', 'v', other)
      rows.reset('b', 'v')
      deepStrictEqual(rows.all(), [
        { id: 'a', v: other },
        { id: 'b', v: fallback },
        { id: 'c', v: fallback },
      ])
      const required = await open(driver(), { v: { ...schema, default: fallback } }, { required: ['id', 'v'] })
      table(required).insert({ id: 'a' })
      deepStrictEqual(table(required).get('a'), { id: 'a', v: fallback })
    })

  test('keeps numbers at their limits, astral characters and texts that look like something else', async () => {
    await keeps(driver, { type: 'number' }, [
      0,
      0.1,
      2 ** 31,
      2 ** 53,
      2 ** 53 + 2,
      2 ** 63,
      -(2 ** 63),
      Number.MAX_VALUE,
      Number.MIN_VALUE,
      -1e-300,
    ])
    await keeps(driver, { type: 'integer' }, [0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -(2 ** 31), 2 ** 32])
    await keeps(driver, { type: 'integer', format: 'int64' }, [
      0n,
      2n ** 53n,
      2n ** 53n + 1n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ])
    await keeps(driver, { type: ['string', 'number'] }, ['1', 1, '1.0', 1.5, 2 ** 60, '', '9223372036854775807', 1e300])
    await keeps(driver, { type: 'string' }, [
      '',
      '\u{1f600}',
      '1',
      '1e3',
      'null',
      '\u2028',
      "'",
      '"',
      ' ',
      '\uffff',
      'x\ufeff',
    ])
    await keeps(driver, { type: 'string', contentEncoding: 'base64' }, [
      new Uint8Array(0),
      new Uint8Array([0]),
      new Uint8Array(70_000).fill(255),
    ])
    await keeps(driver, {}, [
      null,
      true,
      0,
      'x',
      [],
      {},
      [[{ a: null }]],
      2 ** 60,
      JSON.parse('{"__proto__":{"x":1},"toString":1}'),
    ])
  })

  test('refuses what SQLite would round or cut short, and bigints where they are not meant', async () => {
    const rows = table(
      await open(driver(), {
        s: { type: 'string' },
        i: { type: 'integer' },
        n: { type: 'number' },
        b: { type: 'integer', format: 'int64' },
        bin: { type: 'string', contentEncoding: 'base64' },
      }),
    )
    for (const row of [
      { i: 2 ** 53 },
      { i: 2 ** 53 + 2 },
      { i: 2n ** 53n },
      { i: 1n },
      { n: 2n ** 60n },
      { n: Number.NaN },
      { n: Infinity },
      { b: 2n ** 63n },
      { b: 2 ** 60 },
      { bin: 'AAAA' },
      { bin: [1] },
      { s: '\ufeffx' },
      { s: 'a\0' },
      { s: '\ud800' },
    ])
      expect(() => rows.insert({ id: 'a', ...row }), Object.keys(row)[0]).toThrow(ValidationError)
    expect(rows.all()).toEqual([])
  })

  test('of a nested leaf is named by its path, for raw SQL', async () => {
    const store = await open(driver(), {
      text: {
        type: 'object',
        properties: { font: { type: 'object', properties: { size: { type: 'number', default: 12 } } } },
      },
      list: { type: 'array' },
    })
    table(store).insert({ id: 'a', text: { font: { size: 3 } }, list: [1] })
    table(store).insert({ id: 'b' })
    expect(store.query({ sql: 'select id, text_font_size, list from t order by id' })).toEqual([
      { id: 'a', text_font_size: 3, list: '[1]' },
      { id: 'b', text_font_size: 12, list: null },
    ])
  })
})

describeEachDriver('an object', (driver) => {
  test('that is optional is absent, empty or there, and its defaults count only while it is there', async () => {
    const rows = table(
      await open(driver(), {
        o: {
          type: 'object',
          required: ['x'],
          properties: { x: { type: 'number' }, y: { type: 'number', default: 5 } },
        },
        e: { type: 'object', properties: { z: { type: 'string' } } },
      }),
    )
    rows.insert([{ id: 'a' }, { id: 'b', o: { x: 1 }, e: {} }, { id: 'c', o: { x: 1, y: 2 }, e: { z: '' } }])
    deepStrictEqual(rows.all(), [
      { id: 'a' },
      { id: 'b', o: { x: 1, y: 5 }, e: {} },
      { id: 'c', o: { x: 1, y: 2 }, e: { z: '' } },
    ])
    rows.update('c', { o: undefined, e: undefined })
    rows.update('a', { o: { x: 3 } })
    deepStrictEqual(rows.all(), [{ id: 'a', o: { x: 3, y: 5 } }, { id: 'b', o: { x: 1, y: 5 }, e: {} }, { id: 'c' }])
    rows.update('c', { o: { x: 1 } })
    deepStrictEqual(rows.get('c'), { id: 'c', o: { x: 1, y: 5 } })
    expect(refuses(() => rows.set('a', 'o.x', undefined))).toContainEqual(
      expect.objectContaining({ path: 'o.x', keyword: 'required' }),
    )
  })

  test('that may be null is null, absent or there', async () => {
    const rows = table(
      await open(driver(), {
        o: {
          type: ['object', 'null'],
          properties: {
            y: { type: 'number', default: 5 },
            p: { type: ['object', 'null'], properties: { q: { type: 'string' } } },
          },
        },
      }),
    )
    rows.insert([
      { id: 'a' },
      { id: 'b', o: null },
      { id: 'c', o: {} },
      { id: 'd', o: { y: 1, p: null } },
      { id: 'e', o: { p: { q: 'x' } } },
    ])
    deepStrictEqual(rows.all(), [
      { id: 'a' },
      { id: 'b', o: null },
      { id: 'c', o: { y: 5 } },
      { id: 'd', o: { y: 1, p: null } },
      { id: 'e', o: { y: 5, p: { q: 'x' } } },
    ])
    rows.set('b', 'o.y', 7)
    rows.set('e', 'o', null)
    rows.set('d', 'o.p.q', 'z')
    deepStrictEqual(rows.all(), [
      { id: 'a' },
      { id: 'b', o: { y: 7 } },
      { id: 'c', o: { y: 5 } },
      { id: 'd', o: { y: 1, p: { q: 'z' } } },
      { id: 'e', o: null },
    ])
    rows.upsert({ id: 'e', o: {} })
    deepStrictEqual(rows.get('e'), { id: 'e', o: { y: 5 } })
  })

  test('that its defaults can not complete must be given', async () => {
    const rows = table(
      await open(
        driver(),
        {
          o: {
            type: 'object',
            required: ['b'],
            properties: { a: { type: 'number', default: 1 }, b: { type: 'string' } },
          },
        },
        { required: ['id', 'o'] },
      ),
    )
    expect(refuses(() => rows.insert({ id: 'a' }))).toContainEqual(
      expect.objectContaining({ table: 't', keyword: 'required' }),
    )
    expect(refuses(() => rows.insert({ id: 'a', o: {} }))).toContainEqual(
      expect.objectContaining({ path: 'o.b', keyword: 'required' }),
    )
    expect(rows.all()).toEqual([])
  })

  test('that may be null by anyOf is completed by its defaults', async () => {
    const rows = table(
      await open(driver(), {
        o: {
          anyOf: [
            { type: 'object', required: ['a'], properties: { a: { type: 'string', default: 'x' } } },
            { type: 'null' },
          ],
        },
      }),
    )
    rows.insert({ id: 'a', o: {} })
    deepStrictEqual(rows.get('a'), { id: 'a', o: { a: 'x' } })
  })

  test('given as an empty object stays empty, whatever its own default is, or the schema is refused', async () => {
    let store: Store
    try {
      store = await open(driver(), {
        o: { type: 'object', default: { a: 'z' }, properties: { a: { type: 'string' } } },
      })
    } catch (error) {
      expect((error as SchemaError).path).toContain('tables.t.schema.properties.o')
      return
    }
    table(store).insert({ id: 'a', o: {} })
    deepStrictEqual(table(store).get('a'), { id: 'a', o: {} })
  })

  for (const [name, schema, expected] of [
    ['null', { type: ['object', 'null'], default: null, properties: { a: { type: 'string' } } }, null],
    ['empty', { type: 'object', default: {}, properties: { a: { type: 'string' } } }, {}],
    [
      'of its properties',
      {
        type: 'object',
        default: { a: 'z' },
        properties: { a: { type: 'string' }, b: { type: 'string', default: 'q' } },
      },
      { a: 'z', b: 'q' },
    ],
    [
      'of a nullable object',
      { type: ['object', 'null'], default: { a: 'z' }, properties: { a: { type: 'string' } } },
      { a: 'z' },
    ],
    [
      'with an undeclared property',
      { type: 'object', default: { more: 1 }, properties: { a: { type: 'string' } } },
      { more: 1 },
    ],
  ] as const)
    test(`gives its own default (${name}) where it is absent, or the schema is refused`, async () => {
      let store: Store
      try {
        store = await open(driver(), { o: schema })
      } catch (error) {
        expect(error).toBeInstanceOf(SchemaError)
        expect((error as SchemaError).path).toContain('tables.t.schema.properties.o')
        return
      }
      table(store).insert({ id: 'a' })
      deepStrictEqual(table(store).get('a'), { id: 'a', o: expected })
    })
})

describeEachDriver('a table', (driver) => {
  test('keeps properties that its schema neither declares nor forbids, at any depth', async () => {
    const rows = table(
      await open(driver(), { o: { type: 'object', properties: { x: { type: 'number', default: 1 } } } }),
    )
    const row = JSON.parse(
      '{"id":"a","more":null,"__proto__":{"a":1},"toString":"t","constructor":[1],"a.b":{"c":{}},"":"empty","o":{"x":1,"deep":{"er":[{}]},"__proto__":2,"":3}}',
    ) as object
    rows.insert(row)
    deepStrictEqual(rows.get('a'), row)
    rows.set('a', 'o.x', 5)
    rows.set('a', ['a.b', 'c'], 1)
    rows.set('a', ['o', 'deep'], undefined)
    deepStrictEqual(
      rows.get('a'),
      JSON.parse(
        '{"id":"a","more":null,"__proto__":{"a":1},"toString":"t","constructor":[1],"a.b":{"c":1},"":"empty","o":{"x":5,"__proto__":2,"":3}}',
      ),
    )
    rows.update('a', (draft: Record<string, unknown>) => {
      draft['more'] = 1
    })
    deepStrictEqual(
      rows.get('a'),
      JSON.parse(
        '{"id":"a","more":1,"__proto__":{"a":1},"toString":"t","constructor":[1],"a.b":{"c":1},"":"empty","o":{"x":5,"__proto__":2,"":3}}',
      ),
    )
    rows.upsert({ id: 'a' })
    deepStrictEqual(rows.get('a'), { id: 'a', o: { x: 1 } })
  })

  test('does not take a missing property for null where it is required', async () => {
    const nullable = { type: ['boolean', 'null'] }
    const rows = table(
      await open(
        driver(),
        { v: nullable, o: { type: 'object', required: ['w'], properties: { w: nullable, x: { type: 'string' } } } },
        { required: ['id', 'v', 'o'] },
      ),
    )
    expect(refuses(() => rows.insert({ id: 'a', o: { w: null } }))).toContainEqual(
      expect.objectContaining({ path: 'v', keyword: 'required' }),
    )
    expect(refuses(() => rows.insert({ id: 'a', v: null, o: {} }))).toContainEqual(
      expect.objectContaining({ path: 'o.w', keyword: 'required' }),
    )
    expect(refuses(() => rows.insert({ id: 'a', v: null }))).toContainEqual(
      expect.objectContaining({ keyword: 'required' }),
    )
    rows.insert({ id: 'a', v: null, o: { w: null } })
    expect(refuses(() => rows.upsert({ id: 'a', v: null, o: {} }))).toContainEqual(
      expect.objectContaining({ path: 'o.w', keyword: 'required' }),
    )
    expect(refuses(() => rows.upsert({ id: 'a', o: { w: true } }))).toContainEqual(
      expect.objectContaining({ path: 'v', keyword: 'required' }),
    )
    expect(refuses(() => rows.update('a', { o: { w: undefined } }))).toContainEqual(
      expect.objectContaining({ path: 'o.w', keyword: 'required' }),
    )
    deepStrictEqual(rows.get('a'), { id: 'a', v: null, o: { w: null } })
  })

  test('names nothing but what is wrong when it refuses a row', async () => {
    const rows = table(
      await open(
        driver(),
        {
          v: { type: ['string', 'null'], contentEncoding: 'base64' },
          d: { type: 'string', default: 'x' },
          n: { type: 'integer', default: 1 },
          o: { type: ['object', 'null'], required: ['a'], properties: { a: { type: 'string', default: 'q' } } },
        },
        { required: ['id', 'd', 'n'] },
      ),
    )
    const places = (row: object): string[] =>
      refuses(() => rows.insert({ id: 'a', ...row })).map(({ path, keyword }) => `${path} ${keyword}`)
    expect(places({ v: '' })).toEqual(['v contentEncoding'])
    expect(places({ o: [] })).toEqual(['o type'])
    expect(places({ o: {}, n: 2 ** 53 })).toEqual(['n type'])
    expect(places({ n: 1.5 })).toEqual(['n type'])
    expect(rows.all()).toEqual([])
  })

  test('refuses undeclared properties where its schema forbids them', async () => {
    const rows = table(
      await open(
        driver(),
        { o: { type: 'object', additionalProperties: false, properties: { x: { type: 'number' } } } },
        { additionalProperties: false },
      ),
    )
    expect(refuses(() => rows.insert({ id: 'a', more: 1 }))).toContainEqual(
      expect.objectContaining({ table: 't', key: 'a', path: 'more', keyword: 'additionalProperties' }),
    )
    expect(refuses(() => rows.insert({ id: 'a', o: { y: 1 } }))).toContainEqual(
      expect.objectContaining({ path: 'o.y', keyword: 'additionalProperties' }),
    )
    expect(refuses(() => rows.insert(JSON.parse('{"id":"a","__proto__":1}')))).toContainEqual(
      expect.objectContaining({ path: '__proto__', keyword: 'additionalProperties' }),
    )
    expect(rows.all()).toEqual([])
  })

  test('takes oneOf, anyOf, if, not and allOf as ajv does', async () => {
    const store = await open(
      driver(),
      {
        kind: { enum: ['line', 'area'], default: 'line' },
        width: { type: 'number' },
        fill: { type: 'string' },
        shape: {
          oneOf: [
            { type: 'object', required: ['r'], properties: { r: { type: 'number' } }, additionalProperties: false },
            { type: 'object', required: ['w'], properties: { w: { type: 'number' } }, additionalProperties: false },
          ],
        },
        n: { allOf: [{ type: 'number' }, { minimum: 1 }, { $ref: '#/$defs/small' }] },
        tree: { $ref: '#/$defs/tree' },
      },
      {
        $defs: {
          small: { maximum: 10 },
          tree: {
            type: 'object',
            properties: {
              name: { type: 'string' },
              children: { type: 'array', items: { $ref: '#/$defs/tree' } },
              next: { $ref: '#/$defs/tree' },
            },
          },
        },
        if: { properties: { kind: { const: 'area' } } },
        then: { required: ['fill'] },
      },
    )
    const rows = table(store)
    rows.insert([
      { id: 'a' },
      { id: 'b', kind: 'area', fill: 'red' },
      { id: 'c', shape: { r: 1 }, n: 10 },
      { id: 'd', tree: { name: 'x', children: [{ children: [{ name: 'y' }] }], next: { next: { name: 'z' } } } },
    ])
    deepStrictEqual(rows.get('d'), {
      id: 'd',
      kind: 'line',
      tree: { name: 'x', children: [{ children: [{ name: 'y' }] }], next: { next: { name: 'z' } } },
    })
    rows.set('c', 'shape', { w: 2 })
    deepStrictEqual(rows.get('c'), { id: 'c', kind: 'line', shape: { w: 2 }, n: 10 })
    rows.set('d', 'tree.next.next.name', 'q')
    const before = rows.all()
    for (const run of [
      () => rows.insert({ id: 'e', kind: 'area' }),
      () => rows.set('a', 'kind', 'area'),
      () => rows.update('a', { kind: 'area' }),
      () => rows.reset('b', 'fill'),
      () => rows.set('c', 'shape', { r: 1, w: 2 }),
      () => rows.set('c', 'shape.r', 1),
      () => rows.set('c', 'n', 11),
      () => rows.set('c', 'n', 0),
      () => rows.set('d', 'tree.next.next.name', 5),
      () => rows.set('d', 'tree.children.0.children.0.name', 5),
      () => rows.update('d', { tree: { children: [{ name: 1 }] } }),
    ])
      expect(run).toThrow(ValidationError)
    expect(() => store.exec({ sql: "update t set kind = 'area' where id = 'a'" })).toThrow(ValidationError)
    expect(() => store.exec({ sql: "update t set fill = null where id = 'b'" })).toThrow(ValidationError)
    deepStrictEqual(rows.all(), before)
  })

  test('takes draft-07 with its definitions and tuples', async () => {
    const rows = table(
      await open(
        driver(),
        {
          pair: { type: 'array', items: [{ type: 'string' }, { type: 'number' }], additionalItems: false },
          c: { $ref: '#/definitions/c' },
        },
        { $schema: 'http://json-schema.org/draft-07/schema#', definitions: { c: { type: 'integer', default: 4 } } },
      ),
    )
    rows.insert({ id: 'a', pair: ['x', 1] })
    deepStrictEqual(rows.get('a'), { id: 'a', pair: ['x', 1], c: 4 })
    expect(() => rows.insert({ id: 'b', pair: [1, 'x'] })).toThrow(ValidationError)
    expect(() => rows.insert({ id: 'b', pair: ['x', 1, 2] })).toThrow(ValidationError)
    expect(() => rows.insert({ id: 'b', c: 1.5 })).toThrow(ValidationError)
  })

  test('may have any name, and so may its properties', async () => {
    for (const name of [
      'select',
      'a.b',
      'with space',
      "it's",
      'x"y',
      'toString',
      'constructor',
      'таблица',
      '\u{1f600}',
      '1',
    ]) {
      const store = await openTables(driver(), {
        [name]: {
          primaryKey: name.replace('.', '\\.'),
          indexes: [['order']],
          unique: [['group', 'order']],
          schema: {
            type: 'object',
            required: [name],
            properties: {
              [name]: { type: 'string' },
              order: { type: 'integer', default: 1 },
              group: { type: 'string' },
            },
          },
        },
      })
      const rows = table(store, name)
      rows.insert([
        { [name]: 'a', group: 'g' },
        { [name]: 'b', group: 'g', order: 2 },
      ])
      rows.set('a', ['group'], 'h')
      deepStrictEqual(rows.all(), [
        { [name]: 'a', order: 1, group: 'h' },
        { [name]: 'b', order: 2, group: 'g' },
      ])
      expect(() => rows.insert({ [name]: 'c', group: 'h' }), name).toThrow(ConstraintError)
      expect(rows.delete('a'), name).toBe(1)
    }
  })

  test('has keys of one property or several, of each kind', async () => {
    const store = await openTables(driver(), {
      number: { primaryKey: 'k', schema: { type: 'object', required: ['k'], properties: { k: { type: 'number' } } } },
      integer: { primaryKey: 'k', schema: { type: 'object', required: ['k'], properties: { k: { type: 'integer' } } } },
      int64: {
        primaryKey: 'k',
        schema: { type: 'object', required: ['k'], properties: { k: { type: 'integer', format: 'int64' } } },
      },
      boolean: { primaryKey: 'k', schema: { type: 'object', required: ['k'], properties: { k: { type: 'boolean' } } } },
      text: { primaryKey: 'k', schema: { type: 'object', required: ['k'], properties: { k: { type: 'string' } } } },
      many: {
        primaryKey: ['a', 'b', 'c'],
        schema: {
          type: 'object',
          required: ['a', 'b', 'c'],
          properties: {
            c: { type: 'boolean' },
            b: { type: 'number' },
            a: { type: 'string' },
            v: { type: 'integer', default: 0 },
          },
        },
      },
    })
    for (const [name, keys] of [
      ['number', [-1.5, 0, 2 ** 60]],
      ['integer', [-5, 0, Number.MAX_SAFE_INTEGER]],
      ['int64', [-(2n ** 63n), 0n, 7n, 2n ** 63n - 1n]],
      ['boolean', [false, true]],
      ['text', ['', 'B', 'a', '\uffff', '\u{1f600}']],
    ] as const) {
      const rows = table(store, name)
      deepStrictEqual(rows.insert(keys.map((k) => ({ k }))), [...keys])
      deepStrictEqual(rows.keys(), [...keys])
      for (const k of keys) deepStrictEqual(rows.get(k), { k })
      expect(() => rows.insert({ k: keys[0] })).toThrow(ConstraintError)
      expect(rows.delete(keys[1])).toBe(1)
      expect(rows.get(keys[1])).toBeUndefined()
    }
    const many = table(store, 'many')
    const keys = [
      ['', 0.5, false],
      ['', 0.5, true],
      ['x', -1, true],
    ]
    deepStrictEqual(many.insert(keys.map(([a, b, c]) => ({ c, b, a }))), keys)
    deepStrictEqual(many.keys(), keys)
    many.set(['', 0.5, true], 'v', 3)
    deepStrictEqual(many.get(['', 0.5, true]), { a: '', b: 0.5, c: true, v: 3 })
    expect(many.get(['', 0.5])).toBeUndefined()
  })

  test('keeps what is unique so, with defaults, nulls and nested paths', async () => {
    const store = await openTables(driver(), {
      t: {
        primaryKey: 'id',
        unique: [['slug'], ['o.x', 'n']],
        schema: {
          type: 'object',
          required: ['id'],
          properties: {
            id: { type: 'string' },
            slug: { type: ['string', 'null'] },
            n: { type: 'integer', default: 1 },
            o: { type: 'object', properties: { x: { type: 'integer' } } },
          },
        },
      },
    })
    const rows = table(store)
    rows.insert([
      { id: 'a', slug: null },
      { id: 'b', slug: null },
      { id: 'c' },
      { id: 'd' },
      { id: 'e', o: { x: 1 } },
      { id: 'f', o: { x: 1 }, n: 2 },
    ])
    for (const [row, columns] of [
      [{ id: 'g', o: { x: 1 } }, ['o.x', 'n']],
      [{ id: 'g', o: { x: 1 }, n: 1 }, ['o.x', 'n']],
    ] as const) {
      let error: unknown
      try {
        rows.insert(row)
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(ConstraintError)
      expect(error).toMatchObject({ constraint: 'unique', table: 't', columns })
    }
    expect(() => rows.reset('f', 'n')).toThrow(ConstraintError)
    expect(() => rows.set('f', 'n', 1)).toThrow(ConstraintError)
    expect(rows.all()).toHaveLength(6)
  })

  test('follows its references: cascade, restrict and setNull, to itself and to keys of several parts', async () => {
    const key = { type: 'string' }
    const store = await openTables(driver(), {
      owner: {
        primaryKey: ['org', 'name'],
        schema: { type: 'object', required: ['org', 'name'], properties: { org: key, name: key } },
      },
      node: {
        primaryKey: 'id',
        references: {
          parent: { table: 'node', onDelete: 'cascade' },
          friend: { table: 'node', onDelete: 'setNull' },
          lock: { table: 'node', onDelete: 'restrict' },
          owner: { table: 'owner', properties: ['o.org', 'o.name'] },
        },
        schema: {
          type: 'object',
          required: ['id'],
          properties: {
            id: key,
            parent: { type: ['string', 'null'] },
            friend: { type: ['string', 'null'] },
            lock: key,
            o: { type: 'object', properties: { org: key, name: key } },
          },
        },
      },
    })
    const nodes = table(store, 'node')
    nodes.insert([
      { id: 'self', parent: 'self' },
      { id: 'a', parent: null },
      { id: 'b', parent: 'a' },
      { id: 'c', parent: 'b', friend: 'a' },
      { id: 'd', friend: 'a' },
      { id: 'e', lock: 'd' },
      { id: 'f', parent: null, friend: null },
    ])
    deepStrictEqual(nodes.get('f'), { id: 'f', parent: null, friend: null })
    expect(() => nodes.insert({ id: 'x', parent: 'none' })).toThrow(ConstraintError)
    expect(() => nodes.set('b', 'parent', 'none')).toThrow(ConstraintError)
    expect(() => nodes.delete('d')).toThrow(ConstraintError)
    expect(nodes.delete('a')).toBe(1)
    expect(nodes.keys()).toEqual(['d', 'e', 'f', 'self'])
    expect((nodes.get('d') as { friend?: unknown }).friend ?? null).toBeNull()
    expect(nodes.delete(['d', 'e'])).toBe(2)
    expect(nodes.delete('self')).toBe(1)
    expect(() => nodes.insert({ id: 'x', o: { org: 'o', name: 'n' } })).toThrow(ConstraintError)
    store.transaction(() => {
      nodes.insert({ id: 'x', o: { org: 'o', name: 'n' } })
      table(store, 'owner').insert({ org: 'o', name: 'n' })
    })
    nodes.insert({ id: 'y', o: { org: 'o' } })
    expect(() => table(store, 'owner').delete(['o', 'n'])).toThrow(ConstraintError)
    expect(nodes.keys()).toEqual(['f', 'x', 'y'])
  })
})

describe('defineSchema', () => {
  const id = { type: 'string' }
  const t = (more: Keywords, properties: Keywords = {}, root: Keywords = {}): unknown => ({
    version: 1,
    tables: {
      t: {
        primaryKey: 'id',
        schema: { type: 'object', required: ['id'], properties: { id, ...properties }, ...root },
        ...more,
      },
    },
  })
  const property = (schema: unknown): unknown => t({}, { v: schema })

  for (const [name, document, path] of [
    ['no document', null, 'schema'],
    ['an unknown member', { version: 1, tables: {}, more: 1 }, 'more'],
    ['no version', { tables: { t: {} } }, 'version'],
    ['a version of 0', { version: 0, tables: { t: {} } }, 'version'],
    ['a broken version', { version: 1.5, tables: { t: {} } }, 'version'],
    ['no tables', { version: 1, tables: {} }, 'tables'],
    ['a reserved table name', { version: 1, tables: { rowcast_x: {} } }, 'tables.rowcast_x'],
    ["SQLite's table names", { version: 1, tables: { SQLITE_x: {} } }, 'tables.SQLITE_x'],
    ['an empty table name', { version: 1, tables: { '': {} } }, 'tables.'],
    ['no table', { version: 1, tables: { t: null } }, 'tables.t'],
    [
      'table names that differ in case only',
      {
        version: 1,
        tables: { T: (t({}) as { tables: { t: unknown } }).tables.t, ...(t({}) as { tables: object }).tables },
      },
      'tables.t',
    ],
    ['an unknown member of a table', t({ key: 1 }), 'tables.t.key'],
    ['no schema', t({ schema: undefined }), 'tables.t.schema'],
    ['a schema that is no object', t({ schema: { type: 'string' } }), 'tables.t.schema'],
    ['no key', t({ primaryKey: undefined }), 'tables.t.primaryKey'],
    ['an empty key', t({ primaryKey: [] }), 'tables.t.primaryKey'],
    ['a key that is no property', t({ primaryKey: 'x' }), 'tables.t.primaryKey'],
    ['a key named twice', t({ primaryKey: ['id', 'id'] }), 'tables.t.primaryKey'],
    [
      'a key that may be null',
      t({ primaryKey: 'v' }, { v: { type: ['string', 'null'] } }),
      'tables.t.schema.properties.v',
    ],
    ['a key that is an array', t({ primaryKey: 'v' }, { v: { type: 'array' } }), 'tables.t.schema.properties.v'],
    ['a key of a singleton', t({ singleton: true }), 'tables.t.primaryKey'],
    ['an index on nothing', t({ indexes: [['x']] }), 'tables.t.indexes.0'],
    ['an index on an array', t({ indexes: [['id'], ['v']] }, { v: { type: 'array' } }), 'tables.t.indexes.1'],
    ['an empty index', t({ indexes: [[]] }), 'tables.t.indexes.0'],
    ['a unique on nothing', t({ unique: [['x']] }), 'tables.t.unique.0'],
    ['a reference from nothing', t({ references: { x: { table: 't' } } }), 'tables.t.references.x'],
    ['a reference to nothing', t({ references: { v: { table: 'x' } } }, { v: id }), 'tables.t.references.v.table'],
    [
      'a reference of another kind',
      t({ references: { v: { table: 't' } } }, { v: { type: 'integer' } }),
      'tables.t.references.v',
    ],
    [
      'an unknown delete action',
      t({ references: { v: { table: 't', onDelete: 'explode' } } }, { v: id }),
      'tables.t.references.v.onDelete',
    ],
    [
      'setNull on what must be there',
      t({ references: { v: { table: 't', onDelete: 'setNull' } } }, { v: id }, { required: ['id', 'v'] }),
      'tables.t.references.v.onDelete',
    ],
    [
      'columns that collide',
      t({}, { a_b: id, a: { type: 'object', properties: { b: id } } }),
      'tables.t.schema.properties.a.properties.b',
    ],
    ['columns that collide but for case', t({}, { v: id, V: id }), 'tables.t.schema.properties.V'],
    ['a remote $ref', property({ $ref: 'https://example.com/x.json' }), 'tables.t.schema.properties.v'],
    ['a $ref to nothing', property({ $ref: '#/$defs/none' }), 'tables.t.schema.properties.v'],
    ['a $ref into a prototype', property({ $ref: '#/$defs/toString' }), 'tables.t.schema.properties.v'],
    ['a $ref that is itself', property({ $ref: '#/properties/v' }), 'tables.t.schema'],
    ['a $dynamicRef', property({ $dynamicRef: '#x' }), 'tables.t.schema.properties.v'],
    ['a property that is no schema', property(5), 'tables.t.schema.properties.v'],
    [
      'a declared __proto__',
      t({}, JSON.parse('{"__proto__":{"type":"string"}}') as Keywords),
      'tables.t.schema.properties.__proto__',
    ],
    ['a keyword of the wrong type', property({ type: 'string', minLength: 'x' }), 'tables.t.schema'],
    ['an unknown type', property({ type: 'text' }), 'tables.t.schema'],
    ['an unknown dialect', t({}, {}, { $schema: 'http://json-schema.org/draft-04/schema#' }), 'tables.t.schema'],
    ['a broken pattern', property({ type: 'string', pattern: '(' }), 'tables.t.schema'],
    [
      'int64 within an array',
      property({ type: 'array', items: { type: 'integer', format: 'int64' } }),
      'tables.t.schema.properties.v',
    ],
    [
      'an integer default that is rounded',
      property({ type: 'integer', default: 2 ** 60 }),
      'tables.t.schema.properties.v.default',
    ],
    ['a default of the wrong type', property({ type: 'string', default: 5 }), 'tables.t.schema.properties.v.default'],
    [
      'a default that is not allowed',
      property({ type: 'integer', minimum: 5, default: 1 }),
      'tables.t.schema.properties.v.default',
    ],
    [
      'a default that is not allowed in an optional object',
      t(
        {},
        {
          o: { type: 'object', required: ['r'], properties: { r: id, v: { type: 'integer', minimum: 5, default: 1 } } },
        },
      ),
      'tables.t.schema.properties.o.properties.v.default',
    ],
    [
      'a null default where null is not allowed',
      property({ type: 'string', default: null }),
      'tables.t.schema.properties.v.default',
    ],
    [
      'a default of a 64-bit integer that is rounded',
      property({ type: 'integer', format: 'int64', default: 2 ** 60 }),
      'tables.t.schema.properties.v.default',
    ],
    ['a migration of the future', { ...(t({}) as object), migrations: { 2: () => undefined } }, 'migrations.2'],
    ['a migration that is no function', { ...(t({}) as object), version: 2, migrations: { 2: 5 } }, 'migrations.2'],
  ] as const)
    test(`refuses ${name}, and names the place`, () => {
      let error: unknown
      try {
        defineSchema(document as never)
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(SchemaError)
      const found = (error as SchemaError).path
      expect(found === path || found.startsWith(`${path}.`), `${found} for ${path}`).toBe(true)
      expect((error as SchemaError).message.length).toBeGreaterThan(found.length + 8)
    })

  test.each([
    [{ type: 'integer', format: 'int64', default: 2 ** 53 }, 'as a text ("9007199254740993")'],
    [{ type: 'integer', format: 'int64', default: '5.0' }, 'must be an integer of 64 bits'],
    [{ type: 'integer', default: 5n }, 'is not plain JSON (bigint)'],
    [{ type: 'string', contentEncoding: 'base64', default: '!!' }, 'must be a text in base64'],
  ])('says of the default of $0 what a schema, which is plain JSON, may have there', (schema, message) => {
    expect(() => defineSchema(property(schema) as never)).toThrow(message)
  })
})

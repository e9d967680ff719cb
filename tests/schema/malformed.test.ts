import { createStore, defineSchema, SchemaError } from 'rowcast'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

type Members = { readonly [name: string]: unknown }

const id = { type: 'string' }

function withTable(more: Members, properties: Members = {}, root: Members = {}): Members {
  return {
    version: 1,
    tables: {
      t: {
        primaryKey: 'id',
        schema: { type: 'object', required: ['id'], properties: { id, ...properties }, ...root },
        ...more,
      },
    },
  }
}

function withProperty(schema: unknown): Members {
  return withTable({}, { v: schema })
}

function named(name: string): Members {
  return { version: 1, tables: { [name]: (withTable({})['tables'] as Members)['t'] } }
}

/** A schema within a schema, many times over. */
function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let schema: unknown = { type: 'string', default: 'x' }
  for (let level = 0; level < levels; level++) schema = wrap(schema)
  return schema
}

const inObject = (inner: unknown): unknown => ({ type: 'object', properties: { p: inner } })

function cyclic(): Members {
  const schema: { [name: string]: unknown } = { type: 'object' }
  schema['properties'] = { again: schema }
  return withProperty(schema)
}

/** Definitions each of which refers to the next. */
function chained(length: number, refer: (ref: string) => unknown): Members {
  const entries = Array.from({ length }, (_, n) => [`d${n}`, refer(`#/$defs/d${n + 1}`)] as const)
  return withTable(
    {},
    { v: { $ref: '#/$defs/d0' } },
    { $defs: { ...Object.fromEntries(entries), [`d${length}`]: { type: 'string' } } },
  )
}

/** Definitions each of which has a property of every other: unfolded they are more than anyone can count. */
function crosswise(count: number): Members {
  const names = Array.from({ length: count }, (_, n) => `d${n}`)
  const properties = Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${name}` }]))
  const definition = { type: 'object', properties: { ...properties, leaf: { type: 'string', default: '' } } }
  return withTable({}, properties, { $defs: Object.fromEntries(names.map((name) => [name, definition])) })
}

function thrownBy(document: unknown): unknown {
  try {
    defineSchema(document as never)
  } catch (error) {
    return error
  }
  return undefined
}

describe('defineSchema names the place in a document that is malformed:', () => {
  test.each<[what: string, document: unknown, path: string]>([
    ['undefined', undefined, 'schema'],
    ['a number', 5, 'schema'],
    ['a list', [], 'schema'],
    ['a function', () => undefined, 'schema'],
    ['tables as a list', { version: 1, tables: [] }, 'tables'],
    ['tables that are null', { version: 1, tables: null }, 'tables'],
    ['a version as text', { ...withTable({}), version: '3' }, 'version'],
    ['a version below 0', { ...withTable({}), version: -1 }, 'version'],
    ['a version that is not whole', { ...withTable({}), version: 1.5 }, 'version'],
    ['migrations as a number', { ...withTable({}), migrations: 5 }, 'migrations'],
    ['migrations as a list', { ...withTable({}), migrations: [] }, 'migrations'],
    ['migrations that are null', { ...withTable({}), migrations: null }, 'migrations'],
    ['a migration as text', { ...withTable({}), version: 2, migrations: { 2: 'drop' } }, 'migrations.2'],
    ['a migration to 02', { ...withTable({}), version: 2, migrations: { '02': () => undefined } }, 'migrations.02'],
    ['indexes as a number', withTable({ indexes: 5 }), 'tables.t.indexes'],
    ['indexes that are null', withTable({ indexes: null }), 'tables.t.indexes'],
    ['an index as a number', withTable({ indexes: [['id'], 5] }), 'tables.t.indexes.1'],
    ['an index of numbers', withTable({ indexes: [[5]] }), 'tables.t.indexes.0'],
    ['an index that is there twice', withTable({ indexes: [['id'], ['id']] }), 'tables.t.indexes.1'],
    ['unique as text', withTable({ unique: 'x' }), 'tables.t.unique'],
    ['references as a number', withTable({ references: 5 }), 'tables.t.references'],
    ['references as a list', withTable({ references: [] }), 'tables.t.references'],
    ['a reference that is null', withTable({ references: { id: null } }), 'tables.t.references.id'],
    ['a reference without a table', withTable({ references: { id: {} } }), 'tables.t.references.id.table'],
    [
      'a reference by properties as text',
      withTable({ references: { id: { table: 't', properties: 'id' } } }),
      'tables.t.references.id.properties',
    ],
    [
      'a reference with a member of another name',
      withTable({ references: { id: { table: 't', ondelete: 'cascade' } } }),
      'tables.t.references.id.ondelete',
    ],
    ['a primary key as a number', withTable({ primaryKey: 7 }), 'tables.t.primaryKey'],
    ['a primary key of nothing', withTable({ primaryKey: [] }), 'tables.t.primaryKey'],
    ['a primary key with a hole', withTable({ primaryKey: ['id', null] }), 'tables.t.primaryKey'],
    ['singleton as text', withTable({ singleton: 'yes' }), 'tables.t.singleton'],
    ['a table as text', { version: 1, tables: { t: 'x' } }, 'tables.t'],
    ['a schema as a list', withTable({ schema: [] }), 'tables.t.schema'],
    ['properties as a list', withTable({}, {}, { properties: ['id'] }), 'tables.t.schema.properties'],
    ['required as text', withTable({}, {}, { required: 'id' }), 'tables.t.schema.required'],
    [
      'required as text within a list',
      withProperty({ type: 'array', items: { required: 'id' } }),
      'tables.t.schema.properties.v.items.required',
    ],
    ['an unknown type', withProperty({ type: 'text' }), 'tables.t.schema.properties.v.type'],
    ['types that are none', withProperty({ type: [] }), 'tables.t.schema.properties.v.type'],
    ['allOf as an object', withProperty({ allOf: {} }), 'tables.t.schema.properties.v.allOf'],
    ['a $ref as a number', withProperty({ $ref: 5 }), 'tables.t.schema.properties.v.$ref'],
    ['a $ref with a broken escape', withProperty({ $ref: '#/$defs/%' }), 'tables.t.schema.properties.v.$ref'],
    ['a $ref with half an escape', withProperty({ $ref: '#/$defs/%E0%A4' }), 'tables.t.schema.properties.v.$ref'],
    ['a $ref with half a surrogate pair', withProperty({ $ref: '#/$defs/\ud800' }), 'tables.t.schema.properties.v'],
    ['an asynchronous schema', withTable({}, {}, { $async: true }), 'tables.t.schema.$async'],
    ['a table called sqlite', named('sqlite'), 'tables.sqlite'],
    ['a table called sqlite_x', named('sqlite_x'), 'tables.sqlite_x'],
    ['a table called Rowcast', named('Rowcast'), 'tables.Rowcast'],
    ['a table called rowcast_meta', named('rowcast_meta'), 'tables.rowcast_meta'],
    ['a table called __proto__', named('__proto__'), 'tables.__proto__'],
    ['a table without a name', named(''), 'tables.'],
    ['a table name with NUL', named('a\0b'), 'tables.a\0b'],
    ['a table name with half a surrogate pair', named('a\ud800'), 'tables."a\\ud800"'],
    [
      'a property name with half a surrogate pair',
      withTable({}, { '\udc00': id }),
      'tables.t.schema.properties."\\udc00"',
    ],
    [
      'a table called as the index of another',
      {
        version: 1,
        tables: {
          ...(withTable({ indexes: [['id']] })['tables'] as Members),
          ...(named('T__index_id')['tables'] as Members),
        },
      },
      'tables.t.indexes.0',
    ],
    ['a cycle', cyclic(), 'tables.t.schema.properties.v.properties.again'],
    ['a date', withProperty({ default: new Date(0) }), 'tables.t.schema.properties.v.default'],
    ['a bigint', withProperty({ default: 5n }), 'tables.t.schema.properties.v.default'],
    ['an infinite number', withProperty({ maximum: Infinity }), 'tables.t.schema.properties.v.maximum'],
    ['a function in a schema', withProperty({ default: () => 1 }), 'tables.t.schema.properties.v.default'],
    ['65 nested objects', withProperty(nested(65, inObject)), 'tables.t.schema.properties.v'],
    ['5,000 nested objects', withProperty(nested(5000, inObject)), 'tables.t.schema.properties.v'],
    ['5,000 nested lists', withProperty(nested(5000, (items) => ({ items }))), 'tables.t.schema.properties.v'],
    ['5,000 alternatives in one another', withProperty(nested(5000, (one) => ({ anyOf: [one] }))), 'tables.t.schema'],
    ['5,000 references in a row', chained(5000, ($ref) => ({ $ref })), 'tables.t.schema'],
    ['5,000 objects by reference', chained(5000, ($ref) => inObject({ $ref })), 'tables.t.schema'],
    ['definitions that refer to each other crosswise', crosswise(12), 'tables.t.schema'],
  ])('%s', (_what, document, path) => {
    const error = thrownBy(document)
    expect(error).toBeInstanceOf(SchemaError)
    const found = (error as SchemaError).path
    expect(found === path || found.startsWith(`${path}.`), `${found} for ${path}`).toBe(true)
    expect((error as SchemaError).message.length).toBeGreaterThan(found.length + 8)
  })
})

test('objects nested 50 deep, each with a default, are a schema, and a store of it works', async () => {
  const store = await createStore({ schema: defineSchema(withProperty(nested(50, inObject)) as never) })
  store.exec({ sql: `insert into t (id) values ('a')` })
  expect(JSON.stringify(store.query({ sql: 'select * from t' }))).toContain('"x"')
  await store.close()
})

test('alternatives that refer to each other are a JSON column', () => {
  const one = { anyOf: [{ $ref: '#/$defs/two' }, { type: 'string' }] }
  const two = { anyOf: [{ $ref: '#/$defs/one' }, { type: 'number' }] }
  const schema = defineSchema(withTable({}, { v: { $ref: '#/$defs/one' } }, { $defs: { one, two } }) as never)
  expect(schema.tables.size).toBe(1)
})

test('what becomes of a document afterwards does not change its schema', async () => {
  const document = {
    version: 1,
    tables: {
      t: {
        primaryKey: 'id' as 'id' | 'n',
        schema: {
          type: 'object' as const,
          required: ['id'],
          properties: { id: { type: 'string' as const }, n: { type: 'integer' as const, maximum: 5 } },
        },
      },
    },
  }
  const schema = defineSchema(document)
  const before = JSON.stringify(schema.definition)
  document.version = 7
  document.tables.t.primaryKey = 'n'
  document.tables.t.schema.properties.n.maximum = 50
  expect(JSON.stringify(schema.definition)).toBe(before)
  const store = await createStore({ schema, data: { t: [{ id: 'a', n: 5 }] } })
  expect(() => store.table('t').set('a', 'n', 6)).toThrow('must be <= 5')
  await store.close()
  const { properties } = schema.definition.tables.t.schema
  expect(() => {
    properties.n.maximum = 9
  }).toThrow(TypeError)
})

/** A document that uses most of what there is. */
const whole = {
  version: 2,
  title: 'A scene',
  tables: {
    layer: {
      primaryKey: ['scene', 'id'],
      schema: {
        type: 'object',
        required: ['scene', 'id'],
        properties: { scene: { type: 'string' }, id: { type: 'integer', format: 'int64' } },
      },
    },
    pin: {
      primaryKey: 'id',
      indexes: [['rank', 'text.size'], ['kind']],
      unique: [['slug']],
      references: { layer: { table: 'layer', properties: ['scene', 'layerId'], onDelete: 'cascade' } },
      renames: { kind: 'sort', 'text.size': ['size'] },
      renamedFrom: 'marker',
      schema: {
        type: 'object',
        $defs: {
          point: {
            type: 'object',
            required: ['x'],
            properties: { x: { type: 'number' }, next: { $ref: '#/$defs/point' } },
          },
          'odd/name %': { anyOf: [{ type: 'string', default: 'red' }, { type: 'null' }] },
        },
        required: ['id'],
        properties: {
          id: { type: 'string', minLength: 1 },
          slug: { type: ['string', 'null'], pattern: '^[a-z]+$' },
          scene: { type: 'string' },
          layerId: { type: 'integer', format: 'int64' },
          rank: { type: 'integer', minimum: 0, default: 0 },
          kind: { enum: ['pin', 'area'], default: 'pin' },
          at: { $ref: '#/$defs/point' },
          color: { $ref: '#/$defs/odd~1name%20%25' },
          text: {
            type: 'object',
            default: {},
            properties: { size: { type: 'number', default: 12 }, bold: { const: true } },
            additionalProperties: false,
          },
          points: { type: 'array', items: { $ref: '#/$defs/point' }, maxItems: 9 },
          data: { type: 'string', contentEncoding: 'base64' },
        },
        if: { properties: { kind: { const: 'area' } } },
        then: { required: ['points'] },
        additionalProperties: { type: 'string' },
      },
    },
    scene: { singleton: true, schema: { type: 'object', properties: { zoom: { type: 'number', default: 1 } } } },
  },
}

type Place = readonly (string | number)[]

function placesIn(value: unknown, place: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [place]
  const members: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((one: unknown, index) => [index, one] as const)
    : Object.entries(value)
  return [place, ...members.flatMap(([name, member]) => placesIn(member, [...place, name]))]
}

/** The document with something else at one place; `undefined` takes it out. */
function changed(value: unknown, [name, ...rest]: Place, change: (before: unknown) => unknown): unknown {
  if (name === undefined) return change(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value))
    return value.map((one: unknown, index) => (index === name ? changed(one, rest, change) : one))
  return Object.fromEntries(
    Object.entries(value).map(([member, one]) => [member, member === name ? changed(one, rest, change) : one]),
  )
}

const places = placesIn(whole)
const words = [
  ...new Set([
    ...places.flat().map(String),
    'not',
    'oneOf',
    'allOf',
    '$id',
    '$anchor',
    '$schema',
    'dependencies',
    'patternProperties',
    'prefixItems',
    'propertyNames',
    'unevaluatedProperties',
    'contains',
    '$ref',
    '$defs',
    '__proto__',
    'toString',
    'nullable',
    'examples',
    'dependentRequired',
  ]),
]
const texts = [
  '',
  '#',
  '#/',
  '#/$defs/point',
  '#/properties',
  '#/properties/text',
  '#/$defs/%',
  '%41',
  '\ud800',
  'layer',
  'a.b',
  'object',
  'null',
  'array',
  'http://json-schema.org/draft-07/schema#',
]

const anyText = fc.oneof(
  fc.constantFrom(...texts),
  fc.constantFrom(...words),
  fc.string({ unit: 'binary', maxLength: 5 }),
)
const anyValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, 0, 1, -1, 1.5, 2 ** 60, NaN, undefined, 7n),
    anyText,
    fc
      .constantFrom(...places)
      .map((place) => place.reduce<unknown>((inside, name) => (inside as Members)[name], whole)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(anyText, tie('value'), { maxKeys: 3 }),
  ),
})).value

/** One change: another value at a place, nothing there, or a member more. */
const mutation = fc.tuple(
  fc.constantFrom(...places),
  fc.oneof(
    anyValue.map((value) => () => value),
    fc.constant(() => undefined),
    fc.tuple(anyText, anyValue).map(
      ([name, value]) =>
        (before: unknown): unknown =>
          typeof before === 'object' && before !== null && !Array.isArray(before)
            ? Object.fromEntries([...Object.entries(before), [name, value]])
            : [before, value],
    ),
  ),
)

test('whatever a document is turned into is taken, or refused with SchemaError', () => {
  const outcomes = { taken: 0, refused: 0 }
  expect(thrownBy(whole)).toBeUndefined()
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
      let document: unknown = whole
      for (const [place, change] of mutations) document = changed(document, place, change)
      const error = thrownBy(document)
      if (error === undefined) outcomes.taken++
      else {
        expect(error).toBeInstanceOf(SchemaError)
        outcomes.refused++
      }
    }),
    { numRuns: 400 },
  )
  // Neither all garbage nor all harmless.
  expect(Math.min(outcomes.taken, outcomes.refused)).toBeGreaterThan(20)
})

import { createStore, defineSchema, SchemaError } from 'rowcast'
import { describe, expect, test } from 'vitest'

function tableOf(property: object, root: object = {}): Parameters<typeof defineSchema>[0] {
  const schema = { type: 'object', required: ['id'], properties: { id: { type: 'string' }, v: property }, ...root }
  return { version: 1, tables: { t: { primaryKey: 'id', schema } } } as never
}

describe('a schema that refers to itself without an end', () => {
  const bare = { type: 'string' }
  test.each<[what: string, property: object, root: object, place: string, way: string]>([
    ['itself', { $ref: '#/properties/v' }, {}, '.properties.v.$ref', "'#/properties/v'"],
    [
      'over another',
      { $ref: '#/$defs/w' },
      { $defs: { w: { $ref: '#/properties/v' } } },
      '.properties.v.$ref',
      "'#/$defs/w', '#/properties/v'",
    ],
    [
      'among definitions',
      { $ref: '#/$defs/w' },
      { $defs: { w: { $ref: '#/$defs/x' }, x: { $ref: '#/$defs/w' } } },
      '.properties.v.$ref',
      "'#/$defs/x', '#/$defs/w'",
    ],
    [
      'of elements',
      { type: 'array', items: { $ref: '#/properties/v/items' } },
      {},
      '.properties.v.items.$ref',
      "'#/properties/v/items'",
    ],
    [
      'by a key with a slash',
      { $ref: '#/$defs/a~1b' },
      { $defs: { 'a/b': { $ref: '#/$defs/a~1b' } } },
      '.properties.v.$ref',
      "'#/$defs/a~1b'",
    ],
  ])('is refused with its place and the way: %s', (_what, property, root, place, way) => {
    const define = (): unknown => defineSchema(tableOf(property, root))
    expect(define).toThrow(SchemaError)
    expect(define).toThrow(`tables.t.schema${place}: refers to itself by ${way}, without an end`)
  })

  test('is taken where each turn goes a level down', () => {
    const tree = { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/$defs/tree' } } } }
    const array = { type: 'array', items: { $ref: '#/$defs/tree' } }
    expect(() => defineSchema(tableOf(array, { $defs: { tree } }))).not.toThrow()
    const chain = { $defs: { a: { $ref: '#/$defs/b' }, b: bare } }
    expect(() => defineSchema(tableOf({ $ref: '#/$defs/a' }, chain))).not.toThrow()
  })
})

describe('a keyword that nobody knows', () => {
  test.each([
    ['propertes', 'properties'],
    ['Properties', 'properties'],
    ['minLenght', 'minLength'],
    ['minlength', 'minLength'],
    ['defualt', 'default'],
    ['requred', 'required'],
    ['tpye', 'type'],
    ['enmu', 'enum'],
    ['patern', 'pattern'],
    ['fromat', 'format'],
    ['maximun', 'maximum'],
    ['additionalPropertis', 'additionalProperties'],
    ['exclusiveMinumum', 'exclusiveMinimum'],
    // Of zod, yup, OpenAPI's relatives and SQL.
    ['min', 'minimum'],
    ['max', 'maximum'],
    ['minLen', 'minLength'],
    ['maxLen', 'maxLength'],
    ['length', 'maxLength'],
    ['desc', 'description'],
    ['enums', 'enum'],
    ['values', 'enum'],
    ['regex', 'pattern'],
    ['optional', 'required'],
    ['notNull', 'type'],
    // Short ones, of which much hangs.
    ['typ', 'type'],
    ['ref', '$ref'],
    ['defs', '$defs'],
    ['unique', 'unique'],
    ['primaryKey', 'primaryKey'],
  ])("'%s' is refused where it seems to mean '%s', wherever it is", (misspelt, meant) => {
    const wrong = { [misspelt]: 5 }
    const places: readonly (readonly [object, string])[] = [
      [wrong, ''],
      [{ type: 'object', properties: { a: wrong } }, '.properties.a'],
      [{ type: 'array', items: wrong }, '.items'],
      [{ allOf: [{}, wrong] }, '.allOf.1'],
      [{ patternProperties: { '^x': wrong } }, '.patternProperties.^x'],
      [{ if: {}, then: wrong }, '.then'],
      [{ dependencies: { a: ['b'], c: wrong } }, '.dependencies.c'],
    ]
    for (const [property, below] of places) {
      const define = (): unknown => defineSchema(tableOf(property))
      expect(define).toThrow(SchemaError)
      expect(define).toThrow(`tables.t.schema.properties.v${below}.${misspelt}`)
      expect(define).toThrow(`'${meant}'`)
    }
    expect(() => defineSchema(tableOf({}, wrong))).toThrow(`tables.t.schema.${misspelt}`)
    expect(() => defineSchema(tableOf({}, { $defs: { d: wrong } }))).toThrow(`tables.t.schema.$defs.d.${misspelt}`)
  })

  test.each([
    'x-propertes',
    'x-min',
    '$comment',
    'size',
    'ui:widget',
    'note',
    'unit',
    'group',
    'order',
    'label',
    'example',
    'errorMessage',
    'tsType',
    'markdownDescription',
    'meta',
    'step',
    'icon',
  ])("'%s' is an annotation", (name) => {
    expect(() => defineSchema(tableOf({ type: 'number', [name]: 'anything' }))).not.toThrow()
  })

  test('a property, a definition and a value may be called so', () => {
    const property = { type: 'object', properties: { propertes: {}, tpye: {} }, default: { minLenght: 1 } }
    expect(() => defineSchema(tableOf(property, { $defs: { requred: {} } }))).not.toThrow()
  })
})

describe('patternProperties of a closed row', () => {
  const closings = [
    { patternProperties: { '^x-': { type: 'string' } }, additionalProperties: false },
    { patternProperties: { '^x-': { type: 'string' } }, unevaluatedProperties: false },
    { allOf: [{ patternProperties: { '^x-': { type: 'string' } } }], unevaluatedProperties: false },
  ]
  test.each(closings)('%j: lets in what matches, and nothing else', async (closing) => {
    const store = await createStore({ schema: defineSchema(tableOf({ type: 'integer' }, closing)) })
    const t = store.table('t')
    t.insert({ id: 'a', 'x-color': 'red', v: 1 } as never)
    expect(t.get('a')).toEqual({ id: 'a', v: 1, 'x-color': 'red' })
    for (const row of [
      { id: 'b', other: 'x' },
      { id: 'c', 'x-n': 5 },
    ])
      expect(() => t.insert(row as never)).toThrow(expect.objectContaining({ name: 'ValidationError' }))
    t.set('a', 'x-size' as never, 'large' as never)
    expect(() => t.set('a', 'size' as never, 'large' as never)).toThrow()
    expect(t.get('a')).toEqual({ id: 'a', v: 1, 'x-color': 'red', 'x-size': 'large' })
    expect(t.count()).toBe(1)
    await store.close()
  })

  test('of an object in a row', async () => {
    const style = { type: 'object', properties: { width: { type: 'integer' } }, ...closings[0] }
    const store = await createStore({ schema: defineSchema(tableOf(style, { additionalProperties: false })) })
    const t = store.table('t')
    t.insert({ id: 'a', v: { width: 1, 'x-cap': 'round' } } as never)
    expect(t.get('a')).toEqual({ id: 'a', v: { width: 1, 'x-cap': 'round' } })
    expect(() => t.insert({ id: 'b', v: { cap: 'round' } } as never)).toThrow()
    expect(() => t.insert({ id: 'c', 'x-cap': 'round' } as never)).toThrow()
    await store.close()
  })
})

import fc from 'fast-check'

/** A JSON Schema, as far as these tests build one. */
export interface Node {
  readonly [keyword: string]: unknown
}

/** A property with valid values for it. */
interface Property {
  readonly schema: Node
  readonly value: fc.Arbitrary<unknown>
  /** The properties of an object that is to become columns. */
  readonly object: Shape | undefined
  readonly nullable: boolean
}

interface Member extends Property {
  readonly name: string
  readonly required: boolean
}

interface Shape {
  readonly members: readonly Member[]
}

/** What a table's schema declares, without how its values are made: it is printed with a counterexample. */
export interface Declared {
  readonly name: string
  readonly schema: Node
  readonly required: boolean
  readonly nullable: boolean
  readonly object: readonly Declared[] | undefined
}

function declaredOf(shape: Shape): Declared[] {
  return shape.members.map(({ name, schema, required, nullable, object }) => ({
    name,
    schema,
    required,
    nullable,
    object: object && declaredOf(object),
  }))
}

const text = fc.oneof(
  fc
    .string({ unit: 'grapheme', maxLength: 6 })
    .filter((value) => value.isWellFormed() && !value.startsWith('\ufeff') && !value.includes('\0')),
  fc.constantFrom('', '\u{1f600}', 'null', '"', "'", '0', '1e3', ' ', '\n', '\u2028'),
)
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.constantFrom(
    0,
    1,
    -1,
    0.1,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 53,
    2 ** 60,
    2 ** 63,
    -(2 ** 63),
    1e300,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    5e-324,
    Number.MAX_SAFE_INTEGER,
  ),
)
const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(0, 1, -1, 2 ** 31, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
)
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)),
)
const odd = fc.constantFrom(
  '__proto__',
  'toString',
  'constructor',
  'a.b',
  '',
  'ключ',
  '\u{1f511}',
  'length',
  '0',
  "it's",
  'x"y',
)

/** What JSON can hold and gives back as it was. */
const json = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    text,
    number,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(odd, text), tie('any'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).any
const freeForm = fc.dictionary(fc.oneof(odd, text), json, { maxKeys: 3, noNullPrototype: true })

const leaves: readonly (readonly [Node, fc.Arbitrary<unknown>])[] = [
  [{ type: 'string' }, text],
  [{ type: 'number' }, number],
  [{ type: 'integer' }, integer],
  [{ type: 'boolean' }, fc.boolean()],
  [{ type: 'integer', format: 'int64' }, int64],
  [{ type: 'string', contentEncoding: 'base64' }, fc.uint8Array({ maxLength: 5 })],
  [{ enum: ['a', 'b', ''] }, fc.constantFrom('a', 'b', '')],
  [{ enum: [1, 2.5, -3] }, fc.constantFrom(1, 2.5, -3)],
  [{ enum: ['x', 1, true, null] }, fc.constantFrom('x', 1, true, null)],
  [{ const: 'only' }, fc.constant('only')],
  [{ type: ['string', 'number'] }, fc.oneof(text, number)],
  [{ type: ['string', 'boolean'] }, fc.oneof(text, fc.boolean())],
  [
    { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'integer' } }] },
    fc.oneof(text, fc.array(integer, { maxLength: 3 })),
  ],
  [{ type: 'array', items: { type: 'number' } }, fc.array(number, { maxLength: 3 })],
  [
    { type: 'array', items: { type: 'object', properties: { x: { type: 'number' } } } },
    fc.array(fc.record({ x: number }, { requiredKeys: [], noNullPrototype: true }), { maxLength: 3 }),
  ],
  [{ type: 'object' }, freeForm],
  [{}, json],
  [true as unknown as Node, json],
  [{ type: 'string', format: 'date' }, fc.constantFrom('2020-01-31', '1999-12-01')],
  [{ $ref: '#/$defs/color' }, fc.constantFrom('#fff', '#000')],
  [{ $ref: '#/$defs/tree' }, fc.constantFrom({}, { left: {} }, { left: { left: {} }, name: 'x' })],
  [{ allOf: [{ type: 'number' }, { minimum: 0 }] }, fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })],
]

/** What every generated table has under `$defs`. */
const DEFS: Node = {
  color: { type: 'string', pattern: '^#[0-9a-f]{3}$' },
  tree: {
    type: 'object',
    additionalProperties: false,
    properties: { left: { $ref: '#/$defs/tree' }, name: { type: 'string' } },
  },
}

const isNullEnum = (schema: Node): boolean => Array.isArray(schema['enum']) && schema['enum'].includes(null)

const leaf = fc
  .record({
    kind: fc.nat(leaves.length - 1),
    nulls: fc.constantFrom('no', 'no', 'type', 'anyOf', 'oneOf'),
    hasDefault: fc.boolean(),
  })
  .chain(({ kind, nulls, hasDefault }) => {
    const [plain, value] = leaves[kind]!
    const free = plain === (true as unknown as Node) || Object.keys(plain).length === 0
    const type = plain['type']
    const nullable = !free && !isNullEnum(plain) && nulls !== 'no'
    let schema: Node = plain
    if (nullable) {
      if (nulls === 'type' && type !== undefined)
        schema = { ...plain, type: [...(Array.isArray(type) ? (type as string[]) : [type]), 'null'] }
      else schema = { [nulls === 'oneOf' ? 'oneOf' : 'anyOf']: [plain, { type: 'null' }] }
    }
    const values = nullable
      ? fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 3, arbitrary: value })
      : value
    const done = (schemaOf: Node): Property => ({ schema: schemaOf, value: values, object: undefined, nullable })
    // A default is JSON: it can't be binary or a 64-bit integer. An object of declared properties has theirs.
    if (
      !hasDefault ||
      plain['$ref'] === '#/$defs/tree' ||
      plain['format'] === 'int64' ||
      plain['contentEncoding'] !== undefined ||
      free ||
      plain === (true as unknown as Node)
    )
      return fc.constant(done(schema))
    return values.map((fallback) => done({ ...schema, default: fallback }))
  })

const NAMES = [
  'alpha',
  'beta',
  'toString',
  'constructor',
  'dotted.key',
  'übung',
  'select',
  'UPPER',
  '\u{1f600}',
  "it's",
  '1',
  'with space',
  'hasOwnProperty',
]

function shape(depth: number): fc.Arbitrary<Shape> {
  const property: fc.Arbitrary<Property> =
    depth === 0 ? leaf : fc.oneof({ weight: 3, arbitrary: leaf }, { weight: 1, arbitrary: nested(depth - 1) })
  return fc
    .uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 5 })
    .chain((names) =>
      fc.tuple(
        ...names.map((name) =>
          fc
            .record({ property, required: fc.boolean() })
            .map(({ property: made, required }): Member => ({ ...made, name, required })),
        ),
      ),
    )
    .map((members) => ({ members }))
}

function nested(depth: number): fc.Arbitrary<Property> {
  return fc
    .record({ inner: shape(depth), nullable: fc.boolean(), closed: fc.boolean() })
    .map(({ inner, nullable, closed }) => ({
      schema: objectSchema(inner, nullable ? { type: ['object', 'null'] } : { type: 'object' }, closed),
      value: nullable
        ? fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 3, arbitrary: valuesOf(inner) })
        : valuesOf(inner),
      object: inner,
      nullable,
    }))
}

function objectSchema(inner: Shape, type: Node, closed: boolean): Node {
  const required = inner.members.filter((member) => member.required).map((member) => member.name)
  return {
    ...type,
    properties: Object.fromEntries(inner.members.map((member) => [member.name, member.schema])),
    ...(required.length > 0 ? { required } : {}),
    ...(closed ? { additionalProperties: false } : {}),
  }
}

/** Whether a property may be left out of a row: it is optional, or something stands in for it. */
const mayBeAbsent = (member: Declared): boolean => !member.required || standsIn(member)

/** Whether an absent property is there all the same: by its default, or as an object that its defaults make valid. */
function standsIn(member: Omit<Declared, 'name' | 'required'>): boolean {
  if (Object.hasOwn(member.schema, 'default')) return true
  if (!member.object || member.nullable) return false
  const inner = member.object
  return inner.some(standsIn) && inner.every((one) => !one.required || standsIn(one))
}

function valuesOf(inner: Shape): fc.Arbitrary<Record<string, unknown>> {
  const declared = declaredOf(inner)
  return fc
    .tuple(
      ...inner.members.map((member, n) =>
        mayBeAbsent(declared[n]!)
          ? fc.option(
              member.value.map((value) => ({ value })),
              { nil: undefined },
            )
          : member.value.map((value) => ({ value })),
      ),
    )
    .map((values) => {
      const object: Record<string, unknown> = {}
      for (const [n, member] of inner.members.entries()) if (values[n]) object[member.name] = values[n].value
      return object
    })
}

/** The value that a reader sees: what was given, with what stands in for the rest. */
export function filled(inner: readonly Declared[], value: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(value))
    Object.defineProperty(result, name, { value: value[name], writable: true, enumerable: true, configurable: true })
  for (const member of inner) {
    let given = Object.hasOwn(value, member.name) ? value[member.name] : undefined
    if (given === undefined && Object.hasOwn(member.schema, 'default')) given = member.schema['default']
    else if (given === undefined && standsIn(member)) given = {}
    if (given === undefined) continue
    result[member.name] =
      member.object && typeof given === 'object' && given !== null && !Array.isArray(given)
        ? filled(member.object, given as Record<string, unknown>)
        : given
  }
  return result
}

/** A table, and rows that it takes. */
export interface ArbitraryTable {
  readonly schema: Node
  readonly declared: readonly Declared[]
  readonly rows: readonly Record<string, unknown>[]
  /** What to lay over rows, some of it valid. */
  readonly patches: readonly Record<string, unknown>[]
}

/** Tables of random schemas with random valid rows, keyed by `id`; undeclared properties too, where they are allowed. */
export const arbitraryTable: fc.Arbitrary<ArbitraryTable> = fc
  .record({ inner: shape(2), closed: fc.boolean() })
  .chain(({ inner, closed }) => {
    const schema = objectSchema(
      {
        members: [
          { name: 'id', schema: { type: 'string' }, value: text, object: undefined, nullable: false, required: true },
          ...inner.members,
        ],
      },
      { type: 'object', $defs: DEFS },
      closed,
    )
    const rest = closed
      ? fc.constant({})
      : fc.dictionary(fc.constantFrom('__proto__', 'more', 'x.y', 'valueOf', '', '0'), json, {
          maxKeys: 2,
          noNullPrototype: true,
        })
    const row = fc.tuple(valuesOf(inner), rest).map(([declared, undeclared]) => ({ ...undeclared, ...declared }))
    return fc.record({
      schema: fc.constant(schema),
      declared: fc.constant(declaredOf(inner)),
      rows: fc
        .array(row, { minLength: 1, maxLength: 4 })
        .map((rows) => rows.map((one, n) => ({ ...one, id: `k${n}` }))),
      patches: fc.array(
        fc
          .tuple(fc.constantFrom(...inner.members.map((member) => member.name)), json)
          .map(([name, value]) => ({ [name]: value })),
        { maxLength: 4 },
      ),
    })
  })

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseOrderBy, parseWhere, whereToPredicate, whereToSql } from '../../../src/store/filter/index.ts'
import { resolve, SqliteRows } from './sqlite-rows.ts'
import type { Row } from './sqlite-rows.ts'

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  2,
  5,
  41,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 53) - 2,
  2 ** 60,
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
]
const FLOATS = [1e21, 1.5e300, -1.5e300, Number.MAX_VALUE, Number.MIN_VALUE, 2.5e-308, 0.1, 0.1 + 0.2]
const BIGINTS = [0n, 1n, -1n, 5n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 60n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 53n) - 1n]
const CHARACTERS = [
  'a',
  'A',
  'b',
  'é',
  'É',
  '%',
  '_',
  '\\',
  '1',
  '5',
  '\uD7FF',
  '\uE000',
  '\uFFFD',
  '\uFFFF',
  '😀',
  '😁',
]
const LAST = '\u{10FFFF}'

/** Each run tries eight filters. */
const RUNS = 500

const text = fc.oneof(
  fc.array(fc.constantFrom(...CHARACTERS, LAST), { maxLength: 4 }).map((characters) => characters.join('')),
  fc.string({ unit: 'binary', maxLength: 3 }).map((value) => value.replaceAll('\0', '')),
  fc.constantFrom('', '5', '1', '[1]', '{"c":1}', 'null', 'true'),
)
const number = fc.oneof(fc.constantFrom(...NUMBERS, ...FLOATS), fc.double({ noNaN: true, noDefaultInfinity: true }))
const bigint = fc.oneof(fc.constantFrom(...BIGINTS), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
const binary = fc.uint8Array({ maxLength: 3, max: 3 })
const nullish = fc.constantFrom(null, undefined)

function maybe<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> {
  return fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: nullish })
}

/** JSON may hold what no column takes: a NUL, and half of a surrogate pair. */
const jsonText = fc.oneof(
  text,
  fc.constantFrom('a\0b', '\0', '\uD83D', 'a\uDE00', '\uD7FF\uD83D', '\uD83Da', '\uD83D\uE000'),
)
const jsonLeaf = fc.oneof(jsonText, number, fc.boolean(), fc.constant(null))
const jsonValue = fc.oneof(
  { weight: 4, arbitrary: jsonLeaf },
  { weight: 1, arbitrary: fc.array(jsonLeaf, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('c', '1', 'é', '__proto__'), jsonLeaf, { maxKeys: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom([1], { c: 1 }, [], {}) },
)
const json = fc.record({ a: jsonValue, b: fc.array(jsonValue, { maxLength: 2 }) }, { requiredKeys: [] })

const row: fc.Arbitrary<Omit<Row, 'id'>> = fc.record({
  text: maybe(text),
  number: maybe(number),
  integer: maybe(fc.integer({ min: -6, max: 6 })),
  boolean: maybe(fc.boolean()),
  bigint: maybe(bigint),
  binary: maybe(binary),
  union: maybe(fc.oneof(text, number, binary)),
  json: maybe(json),
  or: maybe(text),
  not: maybe(text),
}) as fc.Arbitrary<Omit<Row, 'id'>>

const rows = fc
  .array(row, { minLength: 1, maxLength: 12 })
  .map((list) => list.map((one, at): Row => ({ ...one, id: at + 1 })))

const numeric = fc.oneof(number, bigint)
const OPERANDS: { readonly [path: string]: fc.Arbitrary<unknown> } = {
  text,
  number: numeric,
  integer: numeric,
  boolean: fc.boolean(),
  bigint: numeric,
  binary,
  union: fc.oneof(text, numeric, fc.boolean(), binary),
  'json.a': fc.oneof(text, numeric, fc.boolean(), binary),
  'json.b.0': fc.oneof(text, numeric, fc.boolean(), binary),
  '\\or': text,
  '\\not': text,
}
const TEXTUAL = new Set(['text', 'union', 'json.a', 'json.b.0', '\\or', '\\not'])

function condition(path: string): fc.Arbitrary<unknown> {
  const operand = OPERANDS[path] ?? fc.constant(null)
  const list = fc.array(fc.oneof({ weight: 5, arbitrary: operand }, { weight: 1, arbitrary: fc.constant(null) }), {
    maxLength: 4,
  })
  const long = fc.array(operand, { minLength: 200, maxLength: 203 })
  const orNull = fc.oneof({ weight: 5, arbitrary: operand }, { weight: 1, arbitrary: fc.constant(null) })
  const operators = fc.record(
    {
      eq: orNull,
      ne: orNull,
      gt: operand,
      gte: operand,
      lt: operand,
      lte: operand,
      in: fc.oneof({ weight: 30, arbitrary: list }, { weight: 1, arbitrary: long }),
      notIn: list,
      isNull: fc.boolean(),
      between: fc.tuple(operand, operand),
      ...(TEXTUAL.has(path) ? { like: pattern, startsWith: text, contains: text } : {}),
    },
    { requiredKeys: [] },
  )
  // One operator most of the time: several at once rarely let a row through.
  const one = operators.map((all) => Object.fromEntries(Object.entries(all).slice(-1)))
  return fc.oneof({ weight: 1, arbitrary: orNull }, { weight: 5, arbitrary: one }, { weight: 1, arbitrary: operators })
}

const pattern = fc.oneof(
  text,
  fc
    .array(fc.constantFrom('%', '_', 'a', 'A', 'é', '😀', '\uFFFD', '\uFFFF'), { maxLength: 5 })
    .map((parts) => parts.join('')),
)

const conditions = fc.oneof(
  ...Object.keys(OPERANDS).map((path) => condition(path).map((value) => ({ [path]: value }))),
  fc.constantFrom({ json: null }, { json: { isNull: false } }, { json: { ne: null } }),
)

const where = fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.array(conditions, { maxLength: 2 }).map((list) => Object.assign({}, ...list) as unknown),
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc.record({ or: fc.array(tie('tree'), { maxLength: 3 }) }),
    fc.record({ and: fc.array(tie('tree'), { maxLength: 3 }) }),
    fc.record({ not: tie('tree') }),
  ),
})).tree

const orderBy = fc.oneof(
  fc.constant(undefined),
  fc.array(
    fc
      .tuple(
        fc.boolean(),
        fc.constantFrom(...Object.keys(OPERANDS).filter((path) => !path.startsWith('\\')), 'or', 'id'),
      )
      .map(([descending, path]) => (descending ? `-${path}` : path)),
    { maxLength: 3 },
  ),
)

const wheres = fc.array(where, { minLength: 8, maxLength: 8 })

test('SQL and JavaScript let the same rows through, with indexes and without', () => {
  fc.assert(
    fc.property(rows, wheres, fc.boolean(), (list, filters, indexed) => {
      const sqlite = new SqliteRows(list, indexed)
      try {
        for (const filter of filters) {
          const node = parseWhere(filter, resolve)
          const passes = whereToPredicate(node)
          const ids = list.filter(passes).map(({ id }) => id)
          // The SQL stands in the comparison so that a failure shows it.
          expect({ ...whereToSql(node), ids }).toEqual({ ...whereToSql(node), ids: sqlite.idsWhere(whereToSql(node)) })
        }
      } finally {
        sqlite.close()
      }
    }),
    { numRuns: RUNS },
  )
}, 120_000)

test('SQL and JavaScript put rows into the same order', () => {
  fc.assert(
    fc.property(rows, orderBy, fc.boolean(), (list, order, indexed) => {
      const sqlite = new SqliteRows(list, indexed)
      try {
        const ordering = parseOrderBy(order, resolve, [resolve('id')])
        expect(list.toSorted(ordering.compare).map(({ id }) => id)).toEqual(sqlite.idsOrderedBy(ordering.sql))
      } finally {
        sqlite.close()
      }
    }),
    { numRuns: RUNS },
  )
}, 120_000)

import { inspect } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { NotFoundError } from '../../../src/errors/index.ts'
import {
  FilterError,
  parseWhere,
  pathsIn,
  parseOrderBy,
  whereToPredicate,
  whereToSql,
} from '../../../src/store/filter/index.ts'
import { resolve, SqliteRows } from './sqlite-rows.ts'
import type { Row } from './sqlite-rows.ts'

const rows: readonly Row[] = [
  {
    id: 1,
    text: 'Road',
    number: 10,
    boolean: true,
    bigint: 2n ** 53n + 1n,
    union: 'b',
    json: { a: true, b: [5] },
    or: 'x',
  },
  {
    id: 2,
    text: 'road_2',
    number: 40,
    boolean: false,
    bigint: 5n,
    union: 3,
    json: { a: [1, 'é'], b: ['5'] },
    not: 'y',
  },
  { id: 3, text: '😀%', number: -0, binary: new Uint8Array([1, 255]), union: '', json: { a: { c: null } } },
  { id: 4, text: '\uFFFD', number: null, bigint: null, union: null, json: { a: null } },
  { id: 5, text: '' },
]
const sqlite = new SqliteRows(rows)
afterAll(() => sqlite.close())

/** Each case with a name, which %j can't give where there is a BigInt. */
function named<T>(cases: readonly (readonly [unknown, T])[]): [string, unknown, T][] {
  return cases.map(([where, expected]) => [
    inspect(where, { breakLength: Infinity, maxStringLength: 40 }),
    where,
    expected,
  ])
}

/** The ids of the rows that pass, which SQL and JavaScript must agree on. */
function passing(where: unknown): number[] {
  const node = parseWhere(where, resolve)
  const ids = rows.filter(whereToPredicate(node)).map(({ id }) => id)
  expect(sqlite.idsWhere(whereToSql(node))).toEqual(ids)
  return ids
}

function refusal(where: unknown): string {
  try {
    parseWhere(where, resolve)
  } catch (error) {
    expect(error).toBeInstanceOf(FilterError)
    return (error as FilterError).message
  }
  throw new Error('it was accepted')
}

describe('operators', () => {
  test.each(
    named<number[]>([
      [{ text: 'Road' }, [1]],
      [{ text: { eq: '' } }, [5]],
      [{ number: 0 }, [3]],
      [{ number: { eq: 10n } }, [1]],
      [{ number: { ne: 10 } }, [2, 3]],
      [{ number: { gt: 10 } }, [2]],
      [{ number: { gte: 10, lt: 40 } }, [1]],
      [{ number: { lte: 10 } }, [1, 3]],
      [{ number: { between: [0, 10] } }, [1, 3]],
      [{ number: { between: [10, 0] } }, []],
      [{ number: { in: [40, -0, 7] } }, [2, 3]],
      [{ number: { notIn: [40, 7] } }, [1, 3]],
      [{ boolean: true }, [1]],
      [{ boolean: { ne: true } }, [2]],
      [{ bigint: 2n ** 53n + 1n }, [1]],
      [{ bigint: 2 ** 53 }, []],
      [{ bigint: { gt: 2 ** 53 } }, [1]],
      [{ bigint: { in: [5, 2n ** 53n] } }, [2]],
      [{ binary: new Uint8Array([1, 255]) }, [3]],
      [{ binary: { gt: new Uint8Array([1]) } }, [3]],
      [{ text: { like: 'rOAD%' } }, [1, 2]],
      [{ text: { like: 'road__' } }, [2]],
      [{ text: { like: '_%' } }, [1, 2, 3, 4]],
      [{ text: { like: '__' } }, [3]],
      [{ text: { like: '' } }, [5]],
      [{ text: { startsWith: 'road' } }, [2]],
      [{ text: { startsWith: '' } }, [1, 2, 3, 4, 5]],
      [{ text: { startsWith: '😀' } }, [3]],
      [{ text: { contains: '_' } }, [2]],
      [{ text: { contains: '%' } }, [3]],
      [{ text: { contains: 'oad' } }, [1, 2]],
      [{ text: { contains: '' } }, [1, 2, 3, 4, 5]],
      [{ text: { gt: '\uFFFD' } }, [3]],
      [{ text: { like: '\uFFFD' } }, [4]],
      [{ text: { gte: 'Road', lt: 'road_2' } }, [1]],
    ]),
  )('%s', (_name, where, ids) => {
    expect(passing(where)).toEqual(ids)
  })
})

describe('null and absent', () => {
  test.each<[string, unknown, number[]]>([
    ['a plain null is "null or absent"', { number: null }, [4, 5]],
    ['so is eq: null', { number: { eq: null } }, [4, 5]],
    ['ne: null is the rest', { number: { ne: null } }, [1, 2, 3]],
    ['isNull: true', { number: { isNull: true } }, [4, 5]],
    ['isNull: false', { number: { isNull: false } }, [1, 2, 3]],
    ['no comparison matches null', { number: { ne: 1 } }, [1, 2, 3]],
    ['nor does its negation', { not: { number: { gt: 20 } } }, [1, 3]],
    ['nor does notIn', { number: { notIn: [10] } }, [2, 3]],
    ['null in a list matches null', { number: { in: [10, null] } }, [1, 4, 5]],
    ['null alone in a list is null', { number: { in: [null] } }, [4, 5]],
    ['null in notIn leaves null out, and what notIn leaves out', { number: { notIn: [10, null] } }, [2, 3]],
    ['unknown or true is true', { or: [{ number: 7 }, { id: 5 }] }, [5]],
    ['not (unknown and false) is true', { not: { number: 7, id: 1 } }, [1, 2, 3, 4, 5]],
    ['not (unknown or false) is unknown', { not: { or: [{ number: 7 }, { id: 1 }] } }, [2, 3]],
    ['an array or object as a whole can be null', { json: null }, [5]],
    ['null inside JSON is null', { 'json.a': null }, [4, 5]],
  ])('%s', (_name, where, ids) => {
    expect(passing(where)).toEqual(ids)
  })
})

describe('and, or, not', () => {
  const all = [1, 2, 3, 4, 5]
  test.each<[string, unknown, number[]]>([
    ['no conditions match everything', {}, all],
    ['no operators match everything', { number: {} }, all],
    ['not of no conditions matches nothing', { not: {} }, []],
    ['or of nothing matches nothing', { or: [] }, []],
    ['and of nothing matches everything', { and: [] }, all],
    ['in nothing matches nothing', { number: { in: [] } }, []],
    ['not in nothing matches everything, null too, as in SQLite', { number: { notIn: [] } }, all],
    [
      'everything in one object must hold',
      { id: { gt: 1 }, and: [{ id: { lt: 4 } }], or: [{ id: 3 }, { id: 5 }], not: { id: 2 } },
      [3],
    ],
    ['an array under or is the keyword', { or: [{ id: 1 }, { id: 2 }] }, [1, 2]],
    ['any other value under or is the property', { or: 'x' }, [1]],
    ['so are operators', { or: { like: 'X' } }, [1]],
    ['an object under not is the keyword', { not: { id: 1 } }, [2, 3, 4, 5]],
    ['any other value under not is the property', { not: 'y' }, [2]],
    ['a backslash makes a keyword the property', { '\\not': { ne: 'z' }, '\\or': null }, [2]],
  ])('%s', (_name, where, ids) => {
    expect(passing(where)).toEqual(ids)
  })

  test('thousands of alternatives are no deeper for SQLite than a few', () => {
    expect(passing({ or: Array.from({ length: 5000 }, (_, at) => ({ id: at + 4 })) })).toEqual([4, 5])
  })

  test('a long list travels as one parameter', () => {
    const list = Array.from({ length: 50_000 }, (_, at) => at + 3)
    expect(passing({ id: { in: list } })).toEqual([3, 4, 5])
    expect(whereToSql(parseWhere({ id: { in: list } }, resolve)).parameters).toHaveLength(1)
    expect(passing({ text: { in: [...list.map((id) => `"${id}`), '😀%', null] } })).toEqual([3])
  })
})

describe('values of several kinds', () => {
  test.each<[string, unknown, number[]]>([
    ['numbers come before text', { union: { lt: '' } }, [2]],
    ['text comes after numbers', { union: { gt: 1e300 } }, [1, 3]],
    ['text comes before bytes', { union: { lt: new Uint8Array() } }, [1, 2, 3]],
    ['a text is no number', { 'json.b.0': 5 }, [1]],
    ['a number is no text', { 'json.b.0': '5' }, [2]],
    ['a bigint is no text either', { 'json.b.0': 5n }, [1]],
    ['nor in a list', { 'json.b.0': { in: [5n] } }, [1]],
    ['a boolean is 1 or 0', { 'json.a': true }, [1]],
    ['an array or object is its JSON text', { 'json.a': { in: ['[1,"é"]', '{"c":null}'] } }, [2, 3]],
    ['only text starts with something', { union: { startsWith: '' } }, [1, 3]],
    ['only text contains something', { union: { contains: '' } }, [1, 3]],
    ['only text is like something', { union: { like: '%' } }, [1, 3]],
    ['what is no text is not like it, what is null is neither', { not: { union: { like: '%' } } }, [2]],
  ])('%s', (_name, where, ids) => {
    expect(passing(where)).toEqual(ids)
  })

  test.each<[string, unknown, unknown, boolean]>([
    ['bytes start with nothing', new Uint8Array(), { startsWith: '' }, false],
    ['nor with the last character', new Uint8Array([255]), { startsWith: '\u{10FFFF}' }, false],
    ['text starts with the last character', 'a\u{10FFFF}b', { startsWith: 'a\u{10FFFF}' }, true],
    ['half a surrogate pair comes right after U+D7FF', { a: '\uD83D' }, { startsWith: '\uD7FF' }, false],
    ['and may follow it', { a: '\uD7FF\uD83D' }, { startsWith: '\uD7FF' }, true],
    ['like knows no case beyond ASCII', 'É', { like: 'é' }, false],
    ['like reads up to a NUL', { a: 'a\0b' }, { like: 'a' }, true],
    ['equality reads past it', { a: 'a\0b' }, 'a', false],
    ['contains reads past it', { a: 'a\0b' }, { contains: 'b' }, true],
  ])('%s', (_name, value, condition, expected) => {
    const inJson = typeof value === 'object' && !(value instanceof Uint8Array)
    const row: Row = inJson ? { id: 1, json: value } : { id: 1, union: value as string | Uint8Array }
    const node = parseWhere({ [inJson ? 'json.a' : 'union']: condition }, resolve)
    const table = new SqliteRows([row])
    expect(whereToPredicate(node)(row)).toBe(expected)
    expect(table.idsWhere(whereToSql(node))).toEqual(expected ? [1] : [])
    table.close()
  })

  test('no parameter holds half a surrogate pair, which drivers bind differently', () => {
    const { parameters } = whereToSql(parseWhere({ text: { startsWith: 'a\uD7FF\u{10FFFF}' } }, resolve))
    for (const parameter of parameters) expect(String(parameter).isWellFormed()).toBe(true)
  })

  test('numbers beyond 2^53 in JSON equal themselves', () => {
    const big: Row[] = [
      { id: 1, json: { a: 2 ** 60 } },
      { id: 2, number: 2 ** 53 },
    ]
    const table = new SqliteRows(big, true)
    for (const where of [{ 'json.a': 2 ** 60 }, { 'json.a': { in: [2n ** 60n] } }, { number: 2n ** 53n }]) {
      const node = parseWhere(where, resolve)
      expect(table.idsWhere(whereToSql(node))).toEqual(big.filter(whereToPredicate(node)).map(({ id }) => id))
      expect(table.idsWhere(whereToSql(node))).toHaveLength(1)
    }
    expect(table.idsWhere(whereToSql(parseWhere({ number: 2n ** 53n + 1n }, resolve)))).toEqual([])
    table.close()
  })
})

describe('indexes', () => {
  const indexed = new SqliteRows(rows, true)
  afterAll(() => indexed.close())

  test.each(
    named([
      [{ text: 'a' }, true],
      [{ text: { startsWith: 'a' } }, true],
      [{ number: { between: [1, 2] } }, true],
      [{ bigint: { gt: 5n } }, true],
      [{ 'json.a': { in: ['a', 1, 5n] } }, true],
      [{ union: { startsWith: 'a' } }, true],
    ]),
  )('%s is answered from one', (_name, where) => {
    expect(indexed.plan(whereToSql(parseWhere(where, resolve)))).toMatch(/^SEARCH t USING .*INDEX/)
  })
})

describe('what is refused', () => {
  test.each(
    named<string>([
      [{ text: 5 }, `'text': eq was given 5, where a text is expected`],
      [{ text: { gt: null } }, `'text': gt was given null, where a text is expected`],
      [{ number: { lte: '5' } }, `'number': lte was given "5", where a number is expected`],
      [{ number: { gt: NaN } }, `'number': gt was given NaN, where a finite number is expected`],
      [{ number: { in: [1, -Infinity] } }, `'number': in was given -Infinity, where a finite number is expected`],
      [{ boolean: 1 }, `'boolean': eq was given 1, where true or false is expected`],
      [{ bigint: { ne: '5' } }, `'bigint': ne was given "5", where a BigInt or a number is expected`],
      [{ bigint: 2n ** 63n }, `'bigint': eq was given 9223372036854775808n, which does not fit into 64 bits`],
      [{ binary: 'AQ==' }, `'binary': eq was given "AQ==", where a Uint8Array is expected`],
      [
        { union: { notIn: [{}] } },
        `'union': notIn was given an object, where a text, a number, true or false is expected`,
      ],
      [{ union: [1] }, `'union': eq was given an array, where a text, a number, true or false is expected`],
      [
        { json: { eq: '[]' } },
        `'json': eq was given "[]", but this is an array or object as a whole, of which can be asked only isNull, eq: null and ne: null`,
      ],
      [{ json: { like: '%' } }, `'json': like works on text, and this is an array or object`],
      [{ number: { startsWith: '1' } }, `'number': startsWith works on text, and this is a number`],
      [{ text: { contains: 1 } }, `'text': contains was given 1, where a text is expected`],
      [{ text: { like: null } }, `'text': like was given null, where a text is expected`],
      [{ text: 'a\0' }, `'text': eq was given "a\\u0000", which contains the character NUL, as no stored text does`],
      [
        { text: { like: '\uD83D' } },
        `'text': like was given "\\ud83d", which contains half of a surrogate pair, as no stored text does`,
      ],
      [{ text: { like: 'é'.repeat(25_001) } }, `'text': like was given a pattern of more than 50000 bytes`],
      [
        { text: undefined },
        `'text': eq was given undefined, which is no value: leave it out, or use null for "null or absent"`,
      ],
      [{ number: { between: [1] } }, `'number': between was given an array, where an array of two bounds is expected`],
      [{ number: { between: [1, null] } }, `'number': between was given null, where a number is expected`],
      [{ number: { in: 1 } }, `'number': in was given 1, where an array is expected`],
      [{ number: { isNull: 1 } }, `'number': isNull was given 1, where true or false is expected`],
      [
        { number: { above: 1 } },
        `'number': there is no operator 'above'; there are eq, ne, gt, gte, lt, lte, in, notIn, like, startsWith, contains, isNull, between`,
      ],
      [
        { number: { toString: 1 } },
        `'number': there is no operator 'toString'; there are eq, ne, gt, gte, lt, lte, in, notIn, like, startsWith, contains, isNull, between`,
      ],
      [{ or: [{ id: 1 }, 5] }, `or[1] was given 5, where an object of conditions is expected`],
      [[{ id: 1 }], `where was given an array, where an object of conditions is expected`],
      [null, `where was given null, where an object of conditions is expected`],
    ]),
  )('%s', (_name, where, message) => {
    expect(refusal(where)).toBe(message)
  })

  test('nesting without end', () => {
    let where: unknown = { id: 1 }
    for (let level = 0; level < 100; level++) where = { not: where }
    expect(passing(where)).toEqual([1])
    expect(refusal({ not: where })).toBe('where is nested more than 100 levels deep: flatten it')
  })

  test('more values than SQLite takes', () => {
    const where = { number: { in: Array.from({ length: 32_767 }, (_, at) => at + 0.5) } }
    expect(() => whereToSql(parseWhere(where, resolve))).toThrow(/32767 values, SQLite takes 32766/)
  })

  test('a path that is not there, by the resolver', () => {
    expect(() => parseWhere({ nowhere: 1 }, resolve)).toThrow(NotFoundError)
    expect(() => parseWhere(JSON.parse('{"__proto__": 1}'), resolve)).toThrow(NotFoundError)
  })

  test('every refusal names its code and path', () => {
    expect(() => parseWhere({ or: [{ text: 5 }] }, resolve)).toThrow(
      expect.objectContaining({ code: 'filter', path: 'text' }) as Error,
    )
  })
})

test('the paths that a filter and an order read are known', () => {
  const node = parseWhere(
    { text: 'a', or: [{ number: null }, { not: { 'json.a': { in: [1] } } }], union: { like: '%' } },
    resolve,
  )
  expect([...pathsIn(node)]).toEqual(['text', 'number', 'json.a', 'union'])
  expect([...pathsIn(parseWhere({}, resolve), parseOrderBy('-integer', resolve, [resolve('id')]))]).toEqual([
    'integer',
    'id',
  ])
})

test('a buffer changed after parsing does not change the filter', () => {
  const bytes = new Uint8Array([1, 255])
  const node = parseWhere({ binary: bytes }, resolve)
  bytes.fill(0)
  expect(rows.filter(whereToPredicate(node)).map(({ id }) => id)).toEqual([3])
})

test('a pattern of many % takes no exponential time', () => {
  const row = { id: 1, text: 'a'.repeat(2000) }
  expect(whereToPredicate(parseWhere({ text: { like: `${'%a'.repeat(500)}b` } }, resolve))(row)).toBe(false)
})

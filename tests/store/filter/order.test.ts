import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NotFoundError } from '../../../src/errors/index.ts'
import { compareSql, compareText, FilterError, parseOrderBy, toSqlValue } from '../../../src/store/filter/index.ts'
import type { FilterField } from '../../../src/store/filter/index.ts'
import { resolve, SqliteRows } from './sqlite-rows.ts'
import type { Row } from './sqlite-rows.ts'

const key = [resolve('id')]
const rows: readonly Row[] = [
  { id: 5, text: '😀', number: 1, union: 'a' },
  { id: 2, text: '\uFFFF', number: 1, union: 10 },
  { id: 4, number: 2, union: null },
  { id: 1, text: 'b', number: 2, union: 9 },
  { id: 3, text: 'B', number: null, union: '' },
]

function ordered(orderBy: unknown): number[] {
  const ordering = parseOrderBy(orderBy, resolve, key)
  const ids = rows.toSorted(ordering.compare).map(({ id }) => id)
  const sqlite = new SqliteRows(rows)
  expect(sqlite.idsOrderedBy(ordering.sql)).toEqual(ids)
  sqlite.close()
  return ids
}

test.each<[string, unknown, number[]]>([
  ['no order is the order of the key', undefined, [1, 2, 3, 4, 5]],
  ['an empty one too', [], [1, 2, 3, 4, 5]],
  ['text goes by code point, null first', 'text', [4, 3, 1, 2, 5]],
  ['descending has null last', '-text', [5, 2, 1, 3, 4]],
  ['ties go by the key', 'number', [3, 2, 5, 1, 4]],
  ['ties go by the key ascending in a descending order too', '-number', [1, 4, 2, 5, 3]],
  ['several paths, the first the most significant', ['number', '-id'], [3, 5, 2, 4, 1]],
  ['numbers come before text', 'union', [4, 1, 2, 3, 5]],
  ['a path named twice counts where it stands first', ['-id', 'id'], [5, 4, 3, 2, 1]],
])('%s', (_name, orderBy, ids) => {
  expect(ordered(orderBy)).toEqual(ids)
})

test('SQLite sorts by no path twice', () => {
  expect(parseOrderBy(['-id', 'text', 'id'], resolve, key).sql).toBe('"id" DESC, "text"')
})

test('an order without a key is empty', () => {
  expect(parseOrderBy(undefined, resolve, []).sql).toBe('')
})

test('a path that starts with a minus is written with a backslash', () => {
  const minus: FilterField = { path: '-x', sql: '"-x"', kind: 'number', get: () => 1 }
  const find = (path: string): FilterField => (path === '-x' ? minus : resolve(path))
  expect(parseOrderBy('\\-x', find, []).sql).toBe('"-x"')
  expect(parseOrderBy('--x', find, []).sql).toBe('"-x" DESC')
})

test('what is no order is refused', () => {
  expect(() => parseOrderBy(5, resolve, key)).toThrow(
    new FilterError('', `orderBy was given 5, where a path such as 'rank' or '-rank' is expected`),
  )
  expect(() => parseOrderBy(['id', null], resolve, key)).toThrow(/orderBy was given null/)
  expect(() => parseOrderBy('-json', resolve, key)).toThrow(
    new FilterError('json', `'json': an array or object as a whole has no order: name a place inside it`),
  )
  expect(() => parseOrderBy('nowhere', resolve, key)).toThrow(NotFoundError)
})

test('text is ordered as its code points are, halves of surrogate pairs included', () => {
  const text = fc.array(fc.constantFrom('a', '\uD7FF', '\uD83D', '\uDE00', '\uDBFF', '\uE000', '\uFFFF', '😀', '😁'), {
    maxLength: 4,
  })
  fc.assert(
    fc.property(text, text, (first, second) => {
      const [a, b] = [first.join(''), second.join('')]
      const [x, y] = [a, b].map((one) => Array.from(one, (character) => character.codePointAt(0) ?? 0))
      let expected = 0
      for (let at = 0; expected === 0 && at < 5; at++) expected = (x?.[at] ?? -1) - (y?.[at] ?? -1)
      expect(Math.sign(compareText(a, b))).toBe(Math.sign(expected))
    }),
    { numRuns: 2000 },
  )
})

test('any two values have an order', () => {
  const ascending = [
    null,
    -Infinity,
    -1,
    0,
    1,
    2 ** 53,
    2n ** 53n + 1n,
    1e300,
    Infinity,
    '',
    'a',
    new Uint8Array(),
    new Uint8Array([0]),
  ]
  for (const [x, a] of ascending.entries()) {
    for (const [y, b] of ascending.entries()) expect(Math.sign(compareSql(a, b))).toBe(Math.sign(x - y))
  }
  expect(compareSql(-0, 0n)).toBe(0)
})

test.each<[string, unknown, unknown]>([
  ['true', true, 1],
  ['false', false, 0],
  ['an absent value', undefined, null],
  ['null', null, null],
  ['NaN', NaN, null],
  ['a bigint', 5n, 5n],
  ['a text', 'a', 'a'],
  ['an array', [1, null], '[1,null]'],
  ['an object', { a: 'é' }, '{"a":"é"}'],
])('%s becomes what SQLite holds for it', (_name, value, expected) => {
  expect(toSqlValue(value)).toBe(expected)
})

test('a path may be given as an array of its segments', () => {
  expect(ordered([['text']])).toEqual(ordered('text'))
  expect(ordered([['number'], '-id'])).toEqual(ordered(['number', '-id']))
  expect(() => parseOrderBy([[null]], resolve, key)).toThrow(/orderBy was given/)
})

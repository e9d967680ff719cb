import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseWhere, whereToPredicate, whereToSql } from '../../../src/store/filter/index.ts'
import { resolve, SqliteRows, type Row } from './sqlite-rows.ts'

/** Characters of texts that go on and on, so that pieces are found late or nearly. */
const unit = fc.constantFrom('a', 'a', 'a', 'A', 'b', 'é', '😀', '\uFFFD', '_', '%')
const long = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.array(unit, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 40 })), { maxLength })
    .map((parts) => parts.map(([units, times]) => units.join('').repeat(times)).join(''))
const jsonText = fc
  .tuple(long(3), fc.constantFrom('', '\0', '\uD83D', '\uDE00a'), long(3))
  .map((parts) => parts.join(''))

/** A part of the text, so that it is found, with some of its characters as `_` and `%`. */
function patternFor(text: string): fc.Arbitrary<string> {
  const points = Array.from(text.replaceAll('\0', '').toWellFormed())
  const part = fc
    .tuple(fc.nat(points.length), fc.nat(points.length))
    .map(([a, b]) => points.slice(Math.min(a, b), Math.max(a, b)))
  return fc
    .tuple(part, fc.array(fc.tuple(fc.nat(), fc.constantFrom('_', '%', '%%', 'a', 'B')), { maxLength: 6 }), fc.nat(3))
    .map(([found, changes, open]) => {
      const pattern = [...found]
      for (const [at, wild] of changes) if (pattern.length > 0) pattern[at % pattern.length] = wild
      return `${open & 1 ? '%' : ''}${pattern.join('')}${open & 2 ? '%' : ''}`
    })
}

const cases = fc
  .tuple(fc.oneof(long(6), jsonText), fc.boolean())
  .chain(([text, wellFormed]) =>
    fc.tuple(fc.constant(wellFormed ? text.replaceAll('\0', '').toWellFormed() : text), patternFor(text)),
  )

test('long patterns let the same texts through in SQL and in JavaScript, also in places of JSON', () => {
  fc.assert(
    fc.property(fc.array(cases, { minLength: 1, maxLength: 8 }), (list) => {
      const rows = list.map(([text], at): Row => ({
        id: at + 1,
        ...(text.isWellFormed() && !text.includes('\0') && { text }),
        json: { a: text },
      }))
      const sqlite = new SqliteRows(rows)
      try {
        for (const [, pattern] of list)
          for (const path of ['text', 'json.a'])
            for (const condition of [{ like: pattern }, { contains: pattern }, { startsWith: pattern }]) {
              const node = parseWhere({ [path]: condition }, resolve)
              const sql = whereToSql(node)
              const passes = whereToPredicate(node)
              expect({ ...sql, ids: rows.filter(passes).map(({ id }) => id) }).toEqual({
                ...sql,
                ids: sqlite.idsWhere(sql),
              })
            }
      } finally {
        sqlite.close()
      }
    }),
    { numRuns: 300 },
  )
}, 120_000)

const MILLION = 1_000_000
/** In which all of these are searched, also on a busy machine. Text × pattern takes minutes. */
const SOON_MS = 20_000

test.each([
  ['a piece that nearly matches everywhere', { like: `%${'a'.repeat(16_000)}b%` }],
  ['a piece that begins to match nowhere', { like: `%b${'a'.repeat(16_000)}%` }],
  ['many pieces', { like: `${'%a'.repeat(8_000)}%b` }],
  ['many pieces with any character between', { like: `${'%a_'.repeat(5_000)}%b%` }],
  ['a piece with any character in it', { like: `%${'a_'.repeat(4_000)}b%` }],
  ['any characters before one', { like: `%${'_'.repeat(4_000)}b%` }],
  ['a long text', { contains: `${'a'.repeat(16_000)}b` }],
  ['a long text with its difference in the middle', { contains: `${'a'.repeat(8_000)}b${'a'.repeat(8_000)}` }],
  ['a long text with its difference at the start', { contains: `b${'a'.repeat(500_000)}` }],
  ['a long beginning', { startsWith: `${'a'.repeat(500_000)}b` }],
])(
  'a text of a million characters is searched at once for %s',
  (_name, condition) => {
    const rows: Row[] = [{ id: 1, text: 'a'.repeat(MILLION), json: { a: 'a'.repeat(MILLION) } }]
    const sqlite = new SqliteRows(rows)
    try {
      for (const path of ['text', 'json.a']) {
        const node = parseWhere({ [path]: condition }, resolve)
        expect(rows.filter(whereToPredicate(node))).toEqual([])
        expect(sqlite.idsWhere(whereToSql(node))).toEqual([])
      }
    } finally {
      sqlite.close()
    }
  },
  SOON_MS,
)

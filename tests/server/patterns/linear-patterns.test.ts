import fc from 'fast-check'
import { linearPatterns } from 'rowcast/server'
import { expect, test } from 'vitest'

const CHARACTERS = [
  ...[
    'a',
    'A',
    'b',
    'z',
    '0',
    '9',
    '_',
    '-',
    ' ',
    '\t',
    '\n',
    '\r',
    '\v',
    '\0',
    '\b',
    '\u0085',
    '\u00A0',
    '\u2028',
    '\u2029',
  ],
  ...[
    '\uFEFF',
    '\u180E',
    'é',
    'ſ',
    'K',
    'ß',
    'Ω',
    '٣',
    '😀',
    '\u{10FFFF}',
    '\uD7FF',
    '\uE000',
    '\uFFFD',
    '\uD83D',
    '\uDE00',
  ],
  ...['.', '*', '+', '?', '^', '$', '(', ')', '[', ']', '{', '}', '|', '\\', '/', ':', 'Q', 'E'],
]
const SPECIAL = /[\^$\\.*+?()[\]{}|/]/
const character = fc.constantFrom(...CHARACTERS)
const text = fc.oneof(
  fc.array(character, { maxLength: 8 }).map((characters) => characters.join('')),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
const ESCAPES = [
  ...[
    '\\d',
    '\\D',
    '\\w',
    '\\W',
    '\\s',
    '\\S',
    '\\t',
    '\\n',
    '\\v',
    '\\f',
    '\\r',
    '\\0',
    '\\cJ',
    '\\x41',
    '\\u0061',
    '\\u{1F600}',
  ],
  ...['\\uD83D\\uDE00', '\\uD83D', '\\/', '\\.', '\\\\', '\\]', '\\^', '\\$', '\\p{L}', '\\P{L}', '\\p{Lu}', '\\p{Nd}'],
  ...['\\p{Script=Greek}', '\\p{ASCII}', '\\p{Any}', '\\p{Cs}', '\\p{Emoji}'],
]
const escape = fc.constantFrom(...ESCAPES)
const single = fc.oneof(
  character.map((one) => (SPECIAL.test(one) ? `\\${one}` : one)),
  fc.constantFrom('\\x41', '\\u0061', '\\u{1F600}', '\\cJ', '\\0', '\\t'),
)
const member = fc.oneof(
  single.map((one) => (one === '-' ? '\\-' : one)),
  escape,
  fc.constantFrom(
    '\\b',
    '\\-',
    'a-z',
    '0-9',
    '\\x00-\\x1f',
    '\\u{1F300}-\\u{1FAFF}',
    '[',
    '.',
    '$',
    '|',
    '&&',
    '[:alpha:',
  ),
)
const group = fc
  .tuple(fc.constantFrom('[', '[^'), fc.array(member, { maxLength: 4 }), fc.constantFrom('', '-'))
  .map(([open, members, dash]) => `${open}${members.join('')}${dash}]`)
const atom = fc.oneof(single, escape, group, fc.constantFrom('.', '\\b', '\\B', '^', '$'))
const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{0}', '{1,}', '{0,2}', '{1,3}?')
const pattern = fc.letrec<{ all: string; term: string }>((tie) => ({
  term: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(atom, quantifier).map((parts) => parts.join('')),
    fc
      .tuple(fc.constantFrom('(', '(?:', '(?<name>'), tie('all'), quantifier)
      .map(([open, inner, times]) => `${open}${inner})${times}`),
  ),
  all: fc
    .array(fc.array(tie('term'), { maxLength: 3 }), { minLength: 1, maxLength: 2 })
    .map((alternatives) => alternatives.map((terms) => terms.join('')).join('|')),
})).all

function native(source: string): RegExp | undefined {
  try {
    return new RegExp(source, 'u')
  } catch {
    return undefined
  }
}

test('linear patterns say what those of JavaScript say', () => {
  let compared = 0
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 4, maxLength: 12 }), (source, texts) => {
      const expected = native(source)
      fc.pre(expected !== undefined)
      const { test: matches } = linearPatterns(source)
      compared++
      expect({ source, matched: texts.filter((one) => matches(one)) }).toEqual({
        source,
        matched: texts.filter((one) => expected!.test(one)),
      })
    }),
    { numRuns: 500 },
  )
  expect(compared).toBeGreaterThan(100)
}, 120_000)

test('every code point is of the same sets as in JavaScript', () => {
  const points = [
    ...Array(0x3100).keys(),
    ...Array.from({ length: 0x600 }, (_, n) => 0xd700 + n),
    0xfefe,
    0xfeff,
    0xfffe,
    0x10ffff,
  ]
  for (const source of [
    '^\\s$',
    '^\\S$',
    '^\\w$',
    '^\\W$',
    '^\\d$',
    '^.$',
    '^\\p{Lu}$',
    '^[^\\P{Script=Greek}]$',
    '^\\p{Cs}$',
    '^[]$',
    '^[^]$',
  ]) {
    const { test: matches } = linearPatterns(source)
    const expected = new RegExp(source, 'u')
    const differing = points.filter(
      (point) => matches(String.fromCodePoint(point)) !== expected.test(String.fromCodePoint(point)),
    )
    expect({ source, differing }).toEqual({ source, differing: [] })
  }
})

test.each([
  ['^(a+)+$', 'a'.repeat(200_000)],
  ['^(a|a)*$', 'a'.repeat(200_000)],
  ['^(a|aa)+$', 'a'.repeat(200_000)],
  ['^\\s+$', ' '.repeat(200_000)],
  ['\\s+$', ' '.repeat(200_000)],
  ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'.repeat(200_000)],
  ['(x+x+)+y', 'x'.repeat(200_000)],
])('%s is done with a long text at once', (source, long) => {
  expect(linearPatterns(source).test(`${long}!`)).toBe(false)
})

test.each([
  ['^(?=a)', /looks ahead/],
  ['^(?!a)', /looks ahead/],
  ['(?<=a)b', /looks behind/],
  ['(?<!a)b', /looks behind/],
  ['(a)\\1', /refers back/],
  ['(?<x>a)\\k<x>', /refers back/],
  ['a{1001}', /repeats/],
  ['a{2,}(b{0,5000})', /repeats/],
  ['((a{100}){100})', /too large/],
  ['(', /Invalid regular expression/],
  ['(?i)a', /Invalid regular expression/],
  ['\\Qa\\E', /Invalid regular expression/],
])('%s is refused, and said why', (source, why) => {
  expect(() => linearPatterns(source)).toThrow(why)
})

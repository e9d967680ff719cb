import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allAtOnce, decodeValue, serializeValue, type CellValue } from '../../src/changes/index.ts'
import { decodeInSteps, memberText, parseInSteps } from '../../src/server/json-in-steps.ts'

const LONG = 'x'.repeat(70_000)

/** What becomes of a text: its value, or that it is none. */
function outcome(parse: () => unknown): unknown {
  try {
    return { value: parse() }
  } catch (error) {
    if (error instanceof SyntaxError) return 'no JSON'
    throw error
  }
}

/** Lists and objects with something long in them, so that they are gone into. */
const long: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; leaf: unknown; whole: unknown }>((tie) => ({
  leaf: fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(LONG), fc.constantFrom('"', '\\', '\\"', '[', '},{', ']')),
  whole: fc.oneof(
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', '7', 'a"b')), tie('value'), { maxKeys: 4 }),
  ),
  value: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('whole')),
})).value

const space = fc.constantFrom('', ' ', '\n\t', ' '.repeat(70_000))

test('a text is read in steps as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.array(long, { maxLength: 5 }), space, (values, indent) => {
      const text = JSON.stringify([LONG, ...values], null, indent.length > 9 ? 3 : indent)
      const spaced = `${indent}${text.slice(0, -1)}${indent}]${indent}`
      expect(allAtOnce(parseInSteps(spaced))).toEqual(JSON.parse(spaced))
      expect(Object.keys(allAtOnce(parseInSteps(text)) as object)).toEqual(Object.keys(JSON.parse(text) as object))
    }),
    { numRuns: 60 },
  )
})

test('a text that is none is refused in steps as JSON.parse refuses it, wherever it is damaged', () => {
  const damage = fc.record({
    at: fc.nat(),
    cut: fc.nat({ max: 3 }),
    put: fc.constantFrom('', ',', ']', '}', '"', ':', '1', '[', '{', 'x'),
  })
  fc.assert(
    fc.property(fc.array(long, { maxLength: 4 }), damage, fc.boolean(), (values, { at, cut, put }, atEnd) => {
      const text = JSON.stringify({ values, last: [LONG, 1] })
      // Most of a text is the long strings: what joins them is at its ends.
      const place = atEnd ? Math.max(0, text.length - (at % 20)) : at % Math.min(text.length, 200)
      const damaged = text.slice(0, place) + put + text.slice(place + cut)
      expect(outcome(() => allAtOnce(parseInSteps(damaged)))).toEqual(outcome(() => JSON.parse(damaged)))
    }),
    { numRuns: 300 },
  )
})

test.each([
  ['list', '['],
  ['object', '{'],
  ['list of a long word', `[${LONG}`],
  ['object with a long word', `{"a":${LONG}`],
])('a %s that never ends is no JSON', (_what, text) => {
  expect(() => allAtOnce(parseInSteps(text.padEnd(80_000)))).toThrow(SyntaxError)
})

test.each(['[]', '{}', '[ ]', '{ }'])('%s is empty, however much space is around and in it', (text) => {
  const spaced = text.split('').join(' '.repeat(70_000))
  expect(allAtOnce(parseInSteps(` ${spaced} `))).toEqual(JSON.parse(text))
})

test('no step takes more than a piece of a long text', () => {
  const rows = Array.from({ length: 20_000 }, (_, n) => ({ id: `r${n}`, after: { title: 'a'.repeat(20) } }))
  const steps = parseInSteps(JSON.stringify({ type: 'transact', transactions: [{ changes: rows }] }))
  let count = 0
  for (let step = steps.next(); !step.done; step = steps.next()) count++
  expect(count).toBeGreaterThan(10)
})

test('what is read in steps stands for what it stands for at once', () => {
  const tagged: fc.Arbitrary<CellValue> = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.uint8Array(),
    fc.constantFrom<CellValue>(undefined, Number.NaN, -0),
    fc.dictionary(fc.constantFrom('$', '$a', 'b', '__proto__'), fc.integer()) as fc.Arbitrary<CellValue>,
  )
  fc.assert(
    fc.property(fc.array(fc.array(tagged)), (value) => {
      const json = JSON.parse(serializeValue({ value })) as CellValue
      expect(allAtOnce(decodeInSteps(json))).toEqual(decodeValue(json))
    }),
  )
})

test('the text of a member is found among others, the first of two', () => {
  const text = '{ "a\\"" : [1, {"type": 3}], "type":"x", "n" : 7 ,"type" : "subscribe" }'
  expect(memberText(text, 'type')).toBe('"x"')
  expect(memberText(text, 'n')).toBe('7')
  expect(memberText(text, 'a"')).toBe('[1, {"type": 3}]')
  expect([memberText(text, 'b'), memberText('[1]', 'n'), memberText('{"n"', 'n'), memberText('{}', 'n')]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

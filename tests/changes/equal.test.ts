import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equalValues, parseValue, serializeValue } from '../../src/changes/index.ts'
import type { CellValue } from '../../src/changes/index.ts'
import { arbitraryValue } from '../support/arbitrary-changes.ts'

describe('equality of cell values', () => {
  test.each<[string, CellValue, CellValue]>([
    ['NaN and NaN', NaN, NaN],
    ['0 and -0', 0, -0],
    ['bytes with the same content', new Uint8Array([1, 2]), new Uint8Array([0, 1, 2]).subarray(1)],
    ['objects whose keys stand in another order', { a: 1, b: [2] }, { b: [2], a: 1 }],
    ['an undefined property and none', { a: 1, b: undefined }, { a: 1 }],
    ['no property and an undefined one', {}, { toString: undefined }],
    ['own __proto__ properties', JSON.parse('{"__proto__":{"a":1}}') as CellValue, { ['__proto__']: { a: 1 } }],
  ])('%s are equal', (_what, a, b) => {
    expect(equalValues(a, b)).toBe(true)
    expect(equalValues(b, a)).toBe(true)
  })

  test.each<[string, CellValue, CellValue]>([
    ['1 and 1n', 1, 1n],
    ['1 and "1"', 1, '1'],
    ['null and undefined', null, undefined],
    ['null and {}', null, {}],
    ['[] and {}', [], {}],
    ['bytes and an array', new Uint8Array([1]), [1]],
    ['empty bytes and {}', new Uint8Array(), {}],
    ['bytes of another content', new Uint8Array([1]), new Uint8Array([2])],
    ['arrays of another length', [1], [1, undefined]],
    ['an inherited and an own property', {}, JSON.parse('{"__proto__":null}') as CellValue],
    ['a property and none', { a: 1 }, { a: 1, b: 2 }],
  ])('%s are not equal', (_what, a, b) => {
    expect(equalValues(a, b)).toBe(false)
    expect(equalValues(b, a)).toBe(false)
  })

  test('a copy of a value equals it', () => {
    fc.assert(
      fc.property(arbitraryValue, (value) => equalValues(value, structuredClone(value))),
      { numRuns: 500 },
    )
  })

  test('two values equal each other where a strict comparison of their normal forms says so', () => {
    fc.assert(
      fc.property(arbitraryValue, arbitraryValue, (a, b) => {
        expect(equalValues(a, b)).toBe(isDeepStrictEqual(normal(a), normal(b)))
      }),
      { numRuns: 2_000 },
    )
  })
})

/** Without undefined properties and negative zeros. */
function normal(value: CellValue): unknown {
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) {
    return value === 0 ? 0 : parseValue(serializeValue(value))
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [key, normal(member)]),
  )
}

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deepFreeze, equalValues, shareStructure } from '../../src/changes/index.ts'
import type { CellValue } from '../../src/changes/index.ts'
import { arbitraryValue } from '../support/arbitrary-changes.ts'

describe('sharing of structure', () => {
  test('what did not change stays the same object, what did is new', () => {
    const previous = { text: { font: { size: 1 } }, points: [{ x: 1 }, { x: 2 }], icon: new Uint8Array([1]) }
    const next = { text: { font: { size: 1 } }, points: [{ x: 1 }, { x: 3 }], icon: new Uint8Array([1]) }
    const shared = shareStructure(previous, next)
    expect(shared).toEqual(next)
    expect(shared.text).toBe(previous.text)
    expect(shared.points[0]).toBe(previous.points[0])
    expect(shared.points[1]).toBe(next.points[1])
    expect(shared.icon).toBe(previous.icon)
  })

  test('an equal value is replaced by the previous one as a whole', () => {
    const previous = [{ a: [1, NaN] }, new Uint8Array([1])]
    expect(shareStructure(previous, structuredClone(previous))).toBe(previous)
  })

  test('a shorter array, or an object with a property less, is not the previous one', () => {
    expect(shareStructure([1, 2], [1])).toEqual([1])
    expect(shareStructure({ a: 1, b: 2 }, { a: 1 })).toEqual({ a: 1 })
  })

  test('own __proto__ properties are shared, prototypes left alone', () => {
    const previous = JSON.parse('{"__proto__":{"a":1},"b":1}') as { [key: string]: CellValue }
    const next = JSON.parse('{"__proto__":{"a":1},"b":2}') as { [key: string]: CellValue }
    const shared = shareStructure(previous, next)
    expect(Object.keys(shared)).toEqual(['__proto__', 'b'])
    expect(Object.getOwnPropertyDescriptor(shared, '__proto__')?.value).toBe(previous['__proto__'])
    expect(Object.getPrototypeOf(shared)).toBe(Object.prototype)
  })

  test('the result equals next, shares every equal part, and leaves frozen arguments as they are', () => {
    fc.assert(
      fc.property(arbitraryValue, arbitraryValue, fc.boolean(), (a, b, related) => {
        const previous = deepFreeze({ a, b, list: [a, b] })
        const next = deepFreeze(structuredClone(related ? { a, b: a, list: [a, b, a] } : { a: b, list: [a] }))
        const copy = structuredClone(next)
        const shared = shareStructure(previous, next)
        expect(equalValues(shared, next)).toBe(true)
        expect(equalValues(next, copy)).toBe(true)
        expectShared(previous, shared)
        expect(isDeepFrozen(shared)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

describe('deep freezing', () => {
  test('freezes what lies in a frozen object too, and returns its argument', () => {
    const value = Object.freeze({ list: [{ x: 1 }], bytes: new Uint8Array([1]) })
    expect(deepFreeze(value)).toBe(value)
    expect(isDeepFrozen(value)).toBe(true)
  })
})

function expectShared(previous: CellValue, shared: CellValue): void {
  if (typeof shared !== 'object' || shared === null || typeof previous !== 'object' || previous === null) return
  if (equalValues(previous, shared)) {
    expect(shared).toBe(previous)
  } else if (!(shared instanceof Uint8Array) && Array.isArray(shared) === Array.isArray(previous)) {
    const before = new Map(Object.entries(previous))
    for (const [key, member] of Object.entries(shared)) expectShared(before.get(key), member)
  }
}

function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen)
}

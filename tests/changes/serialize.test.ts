import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseChangeSet, parseValue, serializeChangeSet, serializeValue } from '../../src/changes/index.ts'
import type { ChangeSet } from '../../src/changes/index.ts'
import { arbitraryHistory, arbitraryValue } from '../support/arbitrary-changes.ts'

const head = '"origin":"local"'

describe('serialisation', () => {
  test('a ChangeSet comes back exactly', () => {
    fc.assert(
      fc.property(arbitraryHistory(1), ({ sets: [set] }) => {
        expect(isDeepStrictEqual(parseChangeSet(serializeChangeSet(set as ChangeSet)), set)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('a value comes back exactly, and its text is JSON', () => {
    fc.assert(
      fc.property(arbitraryValue, (value) => {
        const text = serializeValue(value)
        expect(() => JSON.parse(text) as unknown).not.toThrow()
        expect(isDeepStrictEqual(parseValue(text), value)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  test('plain JSON is written as plain JSON', () => {
    const value = { a: [1, 'x', null, true, { b: -0.5 }], 'é"\\': 1e21 }
    expect(serializeValue(value)).toBe(JSON.stringify(value))
  })

  test.each<[unknown, string]>([
    [2n ** 64n, '{"$bigint":"18446744073709551616"}'],
    [new Uint8Array([255, 0, 1]), '{"$bytes":"/wAB"}'],
    [{ x: undefined }, '{"x":{"$undefined":true}}'],
    [-0, '{"$number":"-0"}'],
    [{ $bigint: '7' }, '{"$$bigint":"7"}'],
    [{ $$bigint: '7' }, '{"$$$bigint":"7"}'],
  ])('%o is written as %s', (value, text) => {
    expect(serializeValue(value)).toBe(text)
    expect(isDeepStrictEqual(parseValue(text), value)).toBe(true)
  })

  test('an own __proto__ property survives, and the prototype is not touched', () => {
    const value = parseValue(serializeValue({ ['__proto__']: { polluted: 1n } })) as object
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  test('binary of a megabyte, or a part of a buffer, comes back', () => {
    const bytes = Uint8Array.from({ length: 1 << 20 }, (_, index) => index * 31).subarray(1)
    expect(isDeepStrictEqual(parseValue(serializeValue(bytes)), bytes)).toBe(true)
    expect(parseValue(serializeValue(Buffer.from([1, 2])))).toEqual(new Uint8Array([1, 2]))
  })

  test.each([[new Date(0)], [() => 1], [new Map()], [Symbol('a')], [new Float32Array(1)]])('%o is refused', (tag) => {
    const set: ChangeSet = { changes: [], origin: 'local', tag }
    expect(() => serializeChangeSet(set)).toThrow(expect.objectContaining({ code: 'serialize' }))
  })

  test.each([
    'no JSON',
    '[]',
    '{"changes":[]}',
    '{"changes":[],"origin":"toString"}',
    `{"changes":{},${head}}`,
    `{"changes":[{}],${head}}`,
    `{"changes":[{"table":"a","key":null,"op":"insert","before":{},"after":{}}],${head}}`,
    `{"changes":[{"table":"a","key":1,"op":"drop","before":{},"after":{}}],${head}}`,
    `{"changes":[{"table":"a","key":1,"op":"insert","before":[],"after":{}}],${head}}`,
    `{"changes":[],${head},"label":1}`,
    `{"changes":[],${head},"tag":{"$bigint":"1.5"}}`,
    `{"changes":[],${head},"tag":{"$bytes":"?"}}`,
    `{"changes":[],${head},"tag":{"$unknown":"1"}}`,
    `{"changes":[],${head},"tag":{"$a":1,"b":2}}`,
  ])('%s is refused as no ChangeSet', (text) => {
    expect(() => parseChangeSet(text)).toThrow(expect.objectContaining({ code: 'serialize' }))
  })
})

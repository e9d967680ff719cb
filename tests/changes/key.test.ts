import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeKey, equalKeys, keyId } from '../../src/changes/index.ts'
import type { Key } from '../../src/changes/index.ts'

const member = fc.oneof(
  fc.constantFrom<string | number | bigint | boolean>(1, '1', 1n, '1n', true, 'true', '', '\0', '"', '[', ',', '1,1'),
  fc.string({ unit: fc.constantFrom('\0', '[', '"', ',', '1', '\\'), maxLength: 4 }),
  fc.integer(),
  fc.bigInt(),
)
const key: fc.Arbitrary<Key> = fc.oneof(member, fc.array(member, { maxLength: 3 }))

/** An independent notion of sameness: type by type, member by member. */
function same(a: Key, b: Key): boolean {
  if (typeof a === 'object' && typeof b === 'object') {
    return a.length === b.length && a.every((value, index) => value === b[index])
  }
  return a === b
}

describe('keys', () => {
  test('a plain text or number is its own id', () => {
    expect(keyId('roads')).toBe('roads')
    expect(keyId(7)).toBe(7)
  })

  test('1, "1", 1n, true, [1] and ["1"] are six keys', () => {
    expect(new Set([1, '1', 1n, true, [1], ['1']].map((each) => keyId(each as Key))).size).toBe(6)
  })

  test('a text that looks like the id of an array is no array', () => {
    const composite = keyId([1, 'a'])
    expect(keyId(String(composite))).not.toBe(composite)
  })

  test('two keys have one id exactly when they are the same key', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(new Map([[keyId(a), true]]).has(keyId(b))).toBe(same(a, b))
        expect(equalKeys(a, b)).toBe(same(a, b))
        expect(equalKeys(a, typeof a === 'object' ? [...a] : a)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  test('messages tell the types of keys apart', () => {
    expect(([1, '1', 1n, ['a', 2]] as Key[]).map(describeKey)).toEqual(['1', '"1"', '1n', '["a",2]'])
  })
})

import fc from 'fast-check'
import { byteLength, isDeeper, shapeOf } from 'rowcast/transport'
import { describe, expect, test } from 'vitest'

describe('what a text would be as JSON', () => {
  test('is told as after parsing it: how deep it is, and how many lists and objects are in it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8, stringUnit: 'binary' }), fc.nat(8), (text, levels) => {
        const { deeper, containers } = shapeOf(text, levels)
        expect(deeper).toBe(isDeeper(JSON.parse(text), levels))
        if (!deeper) expect(containers).toBe(countOf(JSON.parse(text)))
      }),
    )
  })

  test('goes by no bracket in a string, whatever is escaped in it', () => {
    for (const text of ['"[[["', '"\\"[[["', '"\\\\\\"[["', '{"[[":"{{\\\\"}', '"[', '"\\'])
      expect([text, shapeOf(text, 1).deeper]).toEqual([text, false])
    expect(shapeOf('["\\\\",[[', 2).deeper).toBe(true)
  })

  test('is not looked at beyond where it is too deep', () => {
    expect(shapeOf('['.repeat(4_000_000), 256)).toEqual({ deeper: true, containers: 257 })
  })
})

test('the bytes of a text are those of its UTF-8, also where half of a pair is missing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.nat(0xffff)).map(unitsOf)), (text) => {
      expect(byteLength(text)).toBe(new TextEncoder().encode(text).length)
    }),
  )
})

function unitsOf(units: readonly number[]): string {
  return String.fromCharCode(...units)
}

function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((sum, member) => sum + countOf(member), 1)
}

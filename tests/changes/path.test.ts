import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatPath, joinPath, parsePath } from '../../src/changes/index.ts'

const segment = fc.oneof(
  fc.string({ unit: fc.constantFrom('.', '\\', 'a', '0', '\0'), maxLength: 4 }),
  fc.constantFrom('__proto__', 'toString', '', '0', '\\.'),
)

describe('property paths', () => {
  test.each([
    ['size', ['size']],
    ['text.font.size', ['text', 'font', 'size']],
    ['points.0.x', ['points', '0', 'x']],
    ['a\\.b.c', ['a.b', 'c']],
    ['a\\\\.b', ['a\\', 'b']],
    ['a\\\\\\.b', ['a\\.b']],
    ['', []],
    ['\\', ['']],
    ['.', ['', '']],
    ['a.', ['a', '']],
    ['__proto__.toString', ['__proto__', 'toString']],
  ])('%j is taken apart into %j and put together again', (path, segments) => {
    expect(parsePath(path)).toEqual(segments)
    expect(formatPath(segments)).toBe(path)
  })

  test('segments are taken as they are, numbers included', () => {
    expect(parsePath(['meta', 'a.b', 0])).toEqual(['meta', 'a.b', 0])
    expect(formatPath(['meta', 'a.b', 0])).toBe('meta.a\\.b.0')
    expect(formatPath(['meta', 0.5])).toBe(formatPath(['meta', '0.5']))
  })

  test('any segments survive being written and read', () => {
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 4 }), (segments) => {
        expect(parsePath(formatPath(segments))).toEqual(segments)
      }),
      { numRuns: 1_000 },
    )
  })

  test('joining a segment is the same as writing them all at once', () => {
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 3 }), segment, (segments, last) => {
        expect(joinPath(formatPath(segments), last)).toBe(formatPath([...segments, last]))
      }),
      { numRuns: 500 },
    )
  })

  test('any string can be read, and reading it twice gives the same frozen segments', () => {
    fc.assert(
      fc.property(segment, (path) => {
        const segments = parsePath(path)
        expect(parsePath(path)).toBe(segments)
        expect(Object.isFrozen(segments)).toBe(true)
      }),
    )
  })

  test('paths are still read right after more of them than are kept', () => {
    for (let index = 0; index < 25_000; index++) parsePath(`points.${index}`)
    expect(parsePath('points.7')).toEqual(['points', '7'])
    expect(parsePath('points.24999')).toEqual(['points', '24999'])
  })
})

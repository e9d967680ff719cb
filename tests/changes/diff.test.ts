import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffValues, equalValues, parsePath, pathsOf } from '../../src/changes/index.ts'
import type { CellValue, RowChange } from '../../src/changes/index.ts'
import { arbitraryValue } from '../support/arbitrary-changes.ts'

function update(before: RowChange['before'], after: RowChange['after']): RowChange {
  return { table: 'annotation', key: 1, op: 'update', before, after }
}

describe('changed paths', () => {
  test.each<[string, CellValue, CellValue, string[]]>([
    ['a member of an element', [{ x: 1 }, { x: 1 }], [{ x: 1 }, { x: 2 }], ['points.1.x']],
    ['an appended element', [1], [1, { x: 1 }], ['points.1']],
    ['removed elements', [1, 2, 3], [1], ['points.1', 'points.2']],
    ['nested arrays', [[[1]], [[2]]], [[[1]], [[3]]], ['points.1.0.0']],
    ['a property that came and one that went', { a: 1 }, { b: { c: 1 } }, ['points.a', 'points.b']],
    ['keys with dots', { 'a.b': { '': 1 } }, { 'a.b': { '': 2 } }, ['points.a\\.b.']],
    ['an array that became an object', [1], { 0: 1 }, ['points']],
    ['a value that went', [1], undefined, ['points']],
    ['bytes', new Uint8Array([1]), new Uint8Array([2]), ['points']],
    ['nothing', [{ a: NaN }], [{ a: NaN, b: undefined }], []],
  ])('%s is told by path', (_what, before, after, paths) => {
    expect(pathsOf(update({ points: before }, { points: after }))).toEqual(paths)
    expect(diffValues(before, after, 'points')).toEqual(paths)
  })

  test('an insert gives the cells after, a delete the cells before, both whole', () => {
    const cells = { 'text.font.size': 1, points: [{ x: 1 }] }
    const row = { table: 'annotation', key: 1 }
    expect(pathsOf({ ...row, op: 'insert', before: {}, after: cells })).toEqual(['text.font.size', 'points'])
    expect(pathsOf({ ...row, op: 'delete', before: cells, after: {} })).toEqual(['text.font.size', 'points'])
  })

  test('there is no path exactly when the values are equal', () => {
    fc.assert(
      fc.property(arbitraryValue, arbitraryValue, fc.boolean(), (a, b, same) => {
        const other = same ? structuredClone(a) : b
        const paths = pathsOf(update({ ['__proto__']: a }, { ['__proto__']: other }))
        expect(paths.length === 0).toBe(equalValues(a, other))
        expect(new Set(paths).size).toBe(paths.length)
      }),
      { numRuns: 1_000 },
    )
  })

  test('each path leads to a difference, and there is none elsewhere', () => {
    fc.assert(
      fc.property(arbitraryValue, arbitraryValue, (a, b) => {
        const before = { cell: [a, b, { a, b }] }
        const after = { cell: [b, a, { a, b: a }, a] }
        const paths = pathsOf(update(before, after))
        const isThere = (path: string): boolean => has(after, parsePath(path).map(String))
        const removals = paths.filter((path) => !isThere(path)).toReversed()
        let patched: CellValue = before
        for (const path of [...paths.filter(isThere), ...removals]) {
          const segments = parsePath(path).map(String)
          const [mine, theirs] = [at(before, segments), at(after, segments)]
          expect(mine === undefined || !equalValues(mine, theirs)).toBe(true)
          patched = copyAt(patched, after, segments)
        }
        expect(equalValues(patched, after)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

function at(value: CellValue, segments: readonly string[]): CellValue {
  return segments.reduce<CellValue>((inner, key) => new Map(Object.entries(inner ?? {})).get(key) as CellValue, value)
}

function has(value: CellValue, segments: readonly string[]): boolean {
  return Object.hasOwn(at(value, segments.slice(0, -1)) as object, String(segments.at(-1)))
}

/** `target` with what `source` has at a path, and without what it lacks there. */
function copyAt(target: CellValue, source: CellValue, segments: readonly string[]): CellValue {
  const [key, ...rest] = segments
  if (key === undefined) return source
  const members = new Map(Object.entries(target ?? {}))
  if (rest.length === 0 && !Object.hasOwn(source as object, key)) members.delete(key)
  else members.set(key, copyAt(members.get(key) as CellValue, at(source, [key]), rest))
  return (Array.isArray(target) ? [...members.values()] : Object.fromEntries(members)) as CellValue
}

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyDiff, diffRows } from '../../../src/store/live/index.ts'

interface Row {
  readonly id: number
  readonly value: number
}

const result = fc.uniqueArray(fc.record({ id: fc.nat(12), value: fc.nat(2) }), {
  selector: (row) => row.id,
  maxLength: 12,
})

/** Rows of the same contents are the same object, as in a live query. */
function shared(before: readonly Row[], after: readonly Row[]): Row[] {
  return after.map((row) => before.find((old) => old.id === row.id && old.value === row.value) ?? row)
}

test('a diff replayed on the old rows gives the new ones', () => {
  fc.assert(
    fc.property(result, result, (before, next) => {
      const after = shared(before, next)
      const diff = diffRows(before, after, (row) => row.id)
      expect(applyDiff(before, diff)).toEqual(after)
      const ids = new Set(after.map((row) => row.id))
      expect(diff.removed.map(({ row }) => row)).toEqual(before.filter((row) => !ids.has(row.id)))
      for (const change of diff.changed) expect(before.find((row) => row.id === change.row.id)).toBe(change.before)
      expect(diff.changed).toHaveLength(
        after.filter((row) => before.some((old) => old.id === row.id && old !== row)).length,
      )
    }),
    { numRuns: 2_000 },
  )
})

test('a row that moves is the only one said to move', () => {
  const rows = Array.from({ length: 6 }, (_, id) => ({ id, value: 0 }))
  const moved = { id: 1, value: 9 }
  const after = [rows[0]!, rows[2]!, rows[3]!, rows[4]!, moved, rows[5]!]
  const diff = diffRows(rows, after, (row) => row.id)
  expect(diff).toEqual({
    added: [],
    removed: [],
    moved: [{ row: moved, from: 1, to: 4 }],
    changed: [{ before: rows[1], row: moved, index: 4 }],
  })
})

test('the fewest rows are said to move', () => {
  const [a, b, c, d, e] = Array.from({ length: 5 }, (_, id) => ({ id, value: 0 })) as [Row, Row, Row, Row, Row]
  expect(diffRows([a, b, c, d, e], [c, d, a, e, b], (row) => row.id).moved).toHaveLength(2)
})

test('a diff of the same rows is empty', () => {
  const rows = [{ id: 1, value: 1 }]
  expect(diffRows(rows, [...rows], (row) => row.id)).toEqual({ added: [], removed: [], moved: [], changed: [] })
})

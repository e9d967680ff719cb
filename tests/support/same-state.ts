import { equalValues } from '../../src/changes/index.ts'
import type { State } from '../../src/changes/index.ts'

/** Whether two states hold the same rows with equal cells. */
export function sameState(a: State, b: State): boolean {
  return (
    a.size === b.size &&
    [...a].every(([table, rows]) => {
      const others = b.get(table)
      return (
        others?.size === rows.size &&
        [...rows].every(([id, row]) => {
          const other = others.get(id)
          return other !== undefined && equalValues(row.key, other.key) && equalValues(row.cells, other.cells)
        })
      )
    })
  )
}

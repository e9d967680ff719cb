import { equalValues, rowIdOf, type Cells } from '../changes/index.ts'
import type { WireChange, WireTransaction } from '../transport/index.ts'

/** Whether what became of a transaction is exactly what its author sent. */
export function isAsSent(sent: WireTransaction, changes: readonly WireChange[]): boolean {
  if (sent.changes.length !== changes.length) return false
  const byRow = new Map(sent.changes.map((change) => [rowIdOf(change), change]))
  return changes.every((change) => {
    const mine = byRow.get(rowIdOf(change))
    return mine?.op === change.op && sameCells(mine.after ?? {}, change.after ?? {})
  })
}

/** Exactly the same: a cell that is absent is another thing than one that is not named. */
function sameCells(a: Cells, b: Cells): boolean {
  return (
    Object.keys(a).length === Object.keys(b).length &&
    Object.keys(a).every((path) => Object.hasOwn(b, path)) &&
    equalValues(a, b)
  )
}

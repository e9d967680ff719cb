import { setOwn } from './cell-kind.ts'
import type { Cells, CellValue, ChangeSet, Key, RowChange } from './change-set.ts'
import { keyId } from './key.ts'
import type { KeyId } from './key.ts'
import { rowExists, rowMissing } from './row-errors.ts'

/** A row of a `State`: its key and its stored cells by path. */
export interface StateRow {
  readonly key: Key
  readonly cells: Cells
}

/** A database as plain objects: tables by name, rows by `keyId`. A table without rows has no entry. */
export type State = ReadonlyMap<string, ReadonlyMap<KeyId, StateRow>>

/**
 * The state after a ChangeSet; the given one stays as it is. Rows and tables that the set does not name are the same
 * objects. It costs the size of the tables that are named, so squash a long history before it is replayed.
 * @throws ConstraintError where an insert meets a row, NotFoundError where an update or delete meets none.
 */
export function applyTo(state: State, set: ChangeSet): State {
  const result = new Map(state)
  const copies = new Map<string, Map<KeyId, StateRow>>()
  for (const change of set.changes) {
    let rows = copies.get(change.table)
    if (rows === undefined) {
      rows = new Map(state.get(change.table))
      copies.set(change.table, rows)
      result.set(change.table, rows)
    }
    applyRow(rows, change)
  }
  for (const [table, rows] of copies) {
    if (rows.size === 0) result.delete(table)
  }
  return result
}

function applyRow(rows: Map<KeyId, StateRow>, change: RowChange): void {
  const id = keyId(change.key)
  const row = rows.get(id)
  if (change.op === 'insert') {
    if (row !== undefined) throw rowExists(change)
    rows.set(id, { key: change.key, cells: merge({}, change.after) })
    return
  }
  if (row === undefined) throw rowMissing(change)
  if (change.op === 'delete') rows.delete(id)
  else rows.set(id, { key: row.key, cells: merge(row.cells, change.after) })
}

function merge(cells: Cells, changed: Cells): Cells {
  const merged: { [path: string]: CellValue } = { ...cells }
  for (const [path, value] of Object.entries(changed)) {
    if (value === undefined) delete merged[path]
    else setOwn(merged, path, value)
  }
  return merged
}

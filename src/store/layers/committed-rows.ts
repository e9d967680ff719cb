import type { SqlValue } from '../../drivers/index.ts'
import type { ValidationIssue } from '../../errors/index.ts'
import { hiddenColumns, isHiddenMark } from '../../schema/index.ts'
import type { Key } from '../../changes/index.ts'
import type { CellId } from '../rows/cell-id.ts'
import type { NetRow } from '../rows/cells.ts'
import { cellsWithoutObject } from '../rows/objects.ts'
import { layOver } from '../rows/rest-members.ts'
import type { TableRows } from '../rows/table-rows.ts'
import type { RowStack } from './row-stack.ts'

/** What the schema says against a row of stored values. */
export function issuesOf({ rows, key }: Pick<NetRow, 'rows' | 'key'>, stored: readonly SqlValue[]): ValidationIssue[] {
  const { model, codec, validator } = rows.schema
  const hidden = model.restricted.filter((column) => isHiddenMark(column, stored[column.index]!))
  return validator.row(codec.decode(stored), model.singleton ? undefined : key, hiddenColumns(hidden))
}

/** A row's stored values, with some cells as they lie below; `undefined` leaves a cell as it is seen. */
export function underneath(stack: RowStack, below: (cell: CellId) => SqlValue | undefined): SqlValue[] {
  const { rows } = stack
  const { model } = rows.schema
  const rowid = stack.visible() ? rows.rowidOf(stack.key) : undefined
  const stored = rowid === undefined ? new Array<SqlValue>(model.columns.length).fill(null) : rows.stored(rowid)
  const cells = [...stack.cells.keys()].flatMap((cell): [CellId, SqlValue][] => {
    const value = below(cell)
    return value === undefined ? [] : [[cell, value]]
  })
  return layOver(model, stored, cells)
}

/** A row's stored values as they are committed. */
export function committedRow(stack: RowStack): SqlValue[] {
  return withKey(
    stack.rows,
    stack.key,
    underneath(stack, (cell) => stack.cells.get(cell)?.committed),
  )
}

/** A row's stored values once cells of it are written; `stored` is `undefined` where it is not there before. */
export function rowAfter(
  rows: TableRows,
  key: Key,
  stored: readonly SqlValue[] | undefined,
  cells: ReadonlyMap<CellId, SqlValue>,
): SqlValue[] {
  const { model } = rows.schema
  const before = stored ? [...stored] : new Array<SqlValue>(model.columns.length).fill(null)
  const after = layOver(model, withKey(rows, key, before), cells)
  return layOver(
    model,
    after,
    cellsWithoutObject(model, after).map((cell) => [cell, null]),
  )
}

function withKey(rows: TableRows, key: Key, stored: SqlValue[]): SqlValue[] {
  const parts = rows.keyParameters(key)
  for (const [n, column] of rows.schema.model.key.entries()) stored[column.index] = parts[n]!
  return stored
}

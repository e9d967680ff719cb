import type { SqlValue } from '../../drivers/index.ts'
import type { Column } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import { takenValue } from '../layers/taken-values.ts'
import type { TableRows } from './table-rows.ts'

/** Sets columns of a row. Throws ConstraintError, which says who has a unique value already, and what else SQLite throws. */
export function updateCells(
  engine: Engine,
  rows: TableRows,
  rowid: number,
  columns: readonly Column[],
  values: readonly SqlValue[],
): void {
  try {
    rows.writes.update(...columns).run([...values, rowid])
  } catch (error) {
    throw takenValue(engine, rows, error, (column) => values[columns.indexOf(column)], rowid)
  }
}

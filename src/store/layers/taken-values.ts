import { describeKey, keyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { ConstraintError } from '../../errors/index.ts'
import { effectiveSql, type Column } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import type { TableRows } from '../rows/table-rows.ts'
import { translateSqlError } from '../sql/sqlite-errors.ts'
import { holderOf } from './holder-of.ts'
import { describe } from './reservations.ts'
import { effective } from './versions.ts'

/**
 * What to throw where SQLite has refused what was to be written of a row, as another has the same key or unique values: it
 * names that row, and the draft of another by which alone they collide, if one is. Any other error comes back as it is.
 *
 * @param written the value that a column was to have; `undefined` where it was to keep its own
 * @param rowid of the row, if it is there already
 */
export function takenValue(
  engine: Engine,
  rows: TableRows,
  thrown: unknown,
  written: (column: Column) => SqlValue | undefined,
  rowid?: number,
): unknown {
  const error = translateSqlError(thrown, engine.models)
  const { model } = rows.schema
  if (error === thrown || !(error instanceof ConstraintError) || error.constraint === 'notNull') return thrown
  const columns = error.columns.map((path) => model.columns.find((column) => column.path === path)!)
  const stored = rowid === undefined ? [] : rows.stored(rowid)
  const values = columns.map((column) => effective(column, written(column) ?? stored[column.index] ?? null))
  const where = columns.map((column) => `${effectiveSql(column)} = ?`).join(' AND ')
  const found = rows.statement(`SELECT rowid FROM ${rows.base} WHERE ${where}`).get(values)
  if (!found) return error
  const key = rows.keyAt(Number(found[0]))
  const { layers, writing } = engine
  const kept = columns.filter((column) => written(column) === undefined)
  const draft =
    holderOf(layers.get(rows, keyId(key)), columns, writing) ??
    (rowid === undefined ? undefined : holderOf(layers.get(rows, keyId(rows.keyAt(rowid))), kept, writing))
  return new ConstraintError(
    {
      constraint: error.constraint,
      table: error.table,
      columns: error.columns,
      draftId: draft?.id,
      message: `${error.message}: ${describeKey(key)}${draft ? `, by what ${describe(draft)} has changed: commit or cancel it first` : ''}`,
    },
    { cause: thrown },
  )
}

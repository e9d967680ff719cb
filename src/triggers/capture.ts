import type { SqliteDriver, SqlValue } from '../drivers/index.ts'
import type { TableModel } from '../schema/index.ts'
import { captureTriggerSql, COLUMN_BITS, deleteChunks } from './capture-sql.ts'

/** Who is told of every change, in the order in which SQLite makes them. The rowid is that of the base table. */
export interface CaptureTarget {
  inserted(table: number, rowid: number): void
  /** `before` has every column of the row, in order. */
  deleted(table: number, rowid: number, before: SqlValue[]): void
  updated(table: number, rowid: number, column: number, before: SqlValue, after: SqlValue): void
}

/** Installs the triggers of the tables and the functions they call. Once per connection. */
export function installCapture(driver: SqliteDriver, tables: readonly TableModel[], target: CaptureTarget): void {
  const int64 = tables.map(
    (table) => new Set(table.columns.filter((column) => column.kind === 'int64').map((column) => column.index)),
  )
  const exact = (table: number, column: number, value: SqlValue): SqlValue =>
    typeof value === 'string' && int64[table]!.has(column) ? BigInt(value) : value
  const mask = (1 << COLUMN_BITS) - 1
  const anyInt64 = int64.some((columns) => columns.size > 0)

  driver.createFunction('rowcast_insert', 2, (table, rowid) => {
    target.inserted(table as number, Number(rowid))
    return undefined
  })
  driver.createFunction('rowcast_update', 4, (id, rowid, before, after) => {
    const table = (id as number) >> COLUMN_BITS
    const column = (id as number) & mask
    if (anyInt64)
      target.updated(table, Number(rowid), column, exact(table, column, before), exact(table, column, after))
    else target.updated(table, rowid as number, column, before, after)
    return undefined
  })
  const sizes = new Set(tables.flatMap((table) => deleteChunks(table).map((chunk) => chunk.size)))
  let row: SqlValue[] = []
  for (const size of sizes)
    driver.createFunction(`rowcast_delete_${size}`, size + 3, (table, rowid, from, ...values) => {
      if (from === 0) row = []
      for (const [offset, value] of values.entries()) row.push(exact(table as number, (from as number) + offset, value))
      if (row.length === tables[table as number]!.columns.length) target.deleted(table as number, Number(rowid), row)
      return undefined
    })
  for (const table of tables) for (const sql of captureTriggerSql(table)) driver.exec(sql)
}

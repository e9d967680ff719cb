import type { SqliteDriver, SqlValue } from '../../drivers/index.ts'
import type { ValidationIssue } from '../../errors/index.ts'
import type { RefusedRow } from '../types/index.ts'
import type { TableSchema } from '../define-schema.ts'
import { decodeColumn, MalformedJson } from '../model/decode-column.ts'
import { isHiddenMark } from '../model/encode-column.ts'
import { quoteName } from '../model/sql-text.ts'
import type { TableModel } from '../model/table-model.ts'
import { explicitRow } from './explicit-row.ts'
import { fitRow } from './fit-row.ts'
import { keptDefaults, moveProperties } from './move-properties.ts'
import { oldBase } from './old-tables.ts'
import type { TableStep } from './plan.ts'
import { takeHidden } from './take-hidden.ts'
import { RowInserter, rowKey } from './write-row.ts'
import { hiddenColumns } from '../hidden-errors.ts'

/** Takes the rows of an old table as they are stored. */
export function copyRows(driver: SqliteDriver, { table, before }: TableStep): void {
  const columns = columnList(table.model)
  driver.exec(
    `INSERT INTO ${quoteName(table.model.base)} (${columns}) SELECT ${columns} FROM ${quoteName(oldBase(before!.model))}`,
  )
}

/** Writes every row of an old table to the new one. Those that the new schema refuses go to `refuse` instead. */
export function rewriteRows(
  driver: SqliteDriver,
  { table, before, moves }: TableStep,
  refuse: (row: RefusedRow) => void,
): void {
  const old = before!.model
  const kept = keptDefaults(old, table.model, moves)
  const inserter = new RowInserter(driver, table)
  try {
    for (const stored of storedRows(driver, old, oldBase(old))) {
      const read = readRow(old, table, () => {
        const row = explicitRow(old, stored, kept)
        moveProperties(row, moves, table.model)
        const fitted = fitRow(table.model.root, row)
        // Most tables have nothing to hide.
        return old.restricted.length === 0 ? { row: fitted, hidden: [] } : takeHidden(table.model, fitted)
      })
      const issues = 'issues' in read ? read.issues : inserter.insert(read.row.row, read.row.hidden)
      if (issues.length === 0) continue
      const row = 'row' in read ? { ...read.row.row } : {}
      const key = 'row' in read ? rowKey(table.model, read.row.row) : storedKey(old, stored)
      refuse({ table: table.model.name, key, row, issues: issues.map((issue) => ({ ...issue, key })) })
    }
  } finally {
    inserter.close()
  }
}

/** What is wrong with the rows of a table, one call a row. */
export function checkRows(
  driver: SqliteDriver,
  table: TableSchema,
  report: (issues: readonly ValidationIssue[]) => void,
): void {
  const { model, codec, validator } = table
  for (const stored of storedRows(driver, model, model.base)) {
    const key = storedKey(model, stored)
    const read = readRow(model, table, () => codec.decode(stored))
    const hidden = model.restricted.filter((column) => isHiddenMark(column, stored[column.index] ?? null))
    const issues = 'issues' in read ? read.issues : validator.row(read.row, key as never, hiddenColumns(hidden))
    if (issues.length > 0) report(issues.map((issue) => ({ ...issue, key })))
  }
}

function readRow<Row>(
  from: TableModel,
  to: TableSchema,
  read: () => Row,
): { row: Row } | { issues: ValidationIssue[] } {
  try {
    return { row: read() }
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    return {
      issues: [
        {
          table: to.model.name,
          key: undefined,
          path: '',
          keyword: 'type',
          message: `${error.message} (in table '${from.base}')`,
        },
      ],
    }
  }
}

function storedKey(table: TableModel, stored: readonly SqlValue[]): unknown {
  if (table.singleton) return undefined
  const parts = table.key.map((column) => decodeColumn(column, stored[column.index] ?? null))
  return parts.length === 1 ? parts[0] : parts
}

function* storedRows(driver: SqliteDriver, table: TableModel, name: string): Generator<SqlValue[], undefined> {
  const statement = driver.prepare(`SELECT ${columnList(table)} FROM ${quoteName(name)}`)
  try {
    yield* statement.iterate()
  } finally {
    statement.finalize()
  }
}

function columnList(table: TableModel): string {
  return table.columns.map((column) => quoteName(column.name)).join(', ')
}

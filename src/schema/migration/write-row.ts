import type { SqliteDriver, SqliteStatement, SqlValue } from '../../drivers/index.ts'
import type { Key } from '../../changes/index.ts'
import { formatPath } from '../../changes/index.ts'
import { SqlError, type ValidationIssue } from '../../errors/index.ts'
import type { TableSchema } from '../define-schema.ts'
import type { Column } from '../model/column.ts'
import { RowEncodeFailure, type RowObject } from '../model/row-codec.ts'
import { quoteName } from '../model/sql-text.ts'
import { SINGLETON_KEY, type TableModel } from '../model/table-model.ts'
import { valueAt } from '../validator.ts'
import { hiddenColumns } from '../hidden-errors.ts'

/** Validated rows on their way into one base table. `close` it before the table is altered. */
export class RowInserter {
  readonly #table: TableSchema
  readonly #statement: SqliteStatement

  constructor(driver: SqliteDriver, table: TableSchema) {
    this.#table = table
    const { base, columns } = table.model
    this.#statement = driver.prepare(
      `INSERT INTO ${quoteName(base)} (${columns.map((column) => quoteName(column.name)).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    )
  }

  /** Writes a row, of which some columns are hidden, or says what is wrong with it. Throws what is no fault of the row. */
  insert(row: RowObject, hidden: readonly Column[] = []): ValidationIssue[] {
    const encoded = encodeRow(this.#table, row, hidden)
    if (!('stored' in encoded)) return encoded.issues
    try {
      this.#statement.run(encoded.stored)
      return []
    } catch (error) {
      const issue = uniqueIssue(this.#table.model, row, error)
      if (issue) return [issue]
      throw error
    }
  }

  close(): void {
    this.#statement.finalize()
  }
}

/** The stored form of a row, or what is wrong with it. */
export function encodeRow(
  { model, codec, validator }: TableSchema,
  row: RowObject,
  hidden: readonly Column[] = [],
): { stored: SqlValue[] } | { issues: ValidationIssue[] } {
  const key = rowKey(model, row)
  try {
    const cells = codec.encode(row)
    if (model.singleton) cells.set(model.key[0]!.index, SINGLETON_KEY)
    for (const column of hidden) cells.set(column.index, column.hiddenMark!)
    const stored = codec.spread(cells)
    const issues = validator.row(codec.decode(stored), key, hiddenColumns(hidden))
    return issues.length > 0 ? { issues } : { stored }
  } catch (error) {
    if (!(error instanceof RowEncodeFailure)) throw error
    const issue = {
      table: model.name,
      key,
      path: formatPath(error.path),
      keyword: error.keyword,
      message: error.message,
    }
    const others = validator.row(row, key, hiddenColumns(hidden)).filter((one) => one.path !== issue.path)
    return { issues: [issue, ...others] }
  }
}

/** The stored row of a singleton that its schema takes without anything given: it is always there. `undefined` for others. */
export function emptyRow(table: TableSchema): SqlValue[] | undefined {
  const encoded = table.model.singleton ? encodeRow(table, {}) : undefined
  return encoded && 'stored' in encoded ? encoded.stored : undefined
}

/** The primary key of a row as messages name it; `undefined` where it has none. */
export function rowKey(table: TableModel, row: RowObject): Key | undefined {
  if (table.singleton) return undefined
  const parts = table.key.map((column) => valueAt(row, column.segments) ?? column.defaultValue)
  return (parts.length === 1 ? parts[0] : parts) as Key | undefined
}

/** What SQLite said about a value that is there already. */
function uniqueIssue(table: TableModel, row: RowObject, error: unknown): ValidationIssue | undefined {
  const failed =
    error instanceof SqlError ? /UNIQUE constraint failed: (?:index '(.*)'|(.*))$/.exec(error.message) : null
  if (!failed) return undefined
  const named = failed[2]?.split(', ').map((part) => part.slice(part.lastIndexOf('.') + 1))
  const index = table.unique.find((one) =>
    named
      ? one.columns.length === named.length && one.columns.every((column, n) => column.name === named[n])
      : one.name === failed[1],
  )
  const columns = index?.columns ?? table.key
  const paths = columns.map((column) => column.path).join(', ')
  return {
    table: table.name,
    key: rowKey(table, row),
    path: paths,
    keyword: index ? 'unique' : 'primaryKey',
    message: 'is taken by another row',
  }
}

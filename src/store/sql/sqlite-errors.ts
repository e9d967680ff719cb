import { ConstraintError, SqlError, ValidationError } from '../../errors/index.ts'
import type { Column, TableModel } from '../../schema/index.ts'

/**
 * What SQLite said, as an error that the caller can handle: constraint failures with table and property paths, a value
 * of the wrong type as a ValidationError. What is no error of SQLite comes back as it is.
 */
export function translateSqlError(error: unknown, tables: readonly TableModel[]): unknown {
  if (!(error instanceof SqlError)) return error
  const message = error.message
  const unique = /UNIQUE constraint failed: (.+)$/.exec(message)
  if (unique) return uniqueError(unique[1]!, tables, error)
  const notNull = /NOT NULL constraint failed: (.+)\.(.+)$/.exec(message)
  if (notNull) {
    const found = columnOf(tables, notNull[1]!, notNull[2]!)
    if (found)
      return new ConstraintError(
        {
          constraint: 'notNull',
          table: found.table.name,
          columns: [found.column.path],
          message: `${found.table.name}: '${found.column.path}' must be given`,
        },
        { cause: error },
      )
  }
  const stored = /cannot store (\w+) value in (\w+) column (.+)\.(.+)$/.exec(message)
  if (stored) {
    const found = columnOf(tables, stored[3]!, stored[4]!)
    if (found)
      return new ValidationError(
        [
          {
            table: found.table.name,
            key: undefined,
            path: found.column.path,
            keyword: 'type',
            message: `is ${stored[1]}, must be ${found.column.kind}`,
          },
        ],
        { cause: error },
      )
  }
  if (/cannot UPSERT a view/i.test(message))
    return new SqlError(`${message}: SQLite has no UPSERT on views. Use table.upsert(row), or INSERT OR REPLACE`, {
      cause: error,
    })
  if (/cannot modify .+ because it is a view|no such table: .*__base/i.test(message))
    return new SqlError(message, { cause: error })
  return error
}

function uniqueError(what: string, tables: readonly TableModel[], cause: SqlError): ConstraintError | SqlError {
  const index = /^index '(.+)'$/.exec(what)
  for (const table of tables) {
    if (index) {
      const found = table.unique.find((one) => one.name === index[1]!.replaceAll("''", "'"))
      if (found) return unique('unique', table, found.columns, cause)
    } else {
      const names = what
        .split(', ')
        .map((part) => (part.startsWith(`${table.base}.`) ? part.slice(table.base.length + 1) : undefined))
      if (names.some((name) => name === undefined)) continue
      const columns = names
        .map((name) => table.columns.find((column) => column.name === name))
        .filter((column) => column !== undefined)
      const isKey = columns.length === table.key.length && columns.every((column) => table.key.includes(column))
      return unique(isKey ? 'primaryKey' : 'unique', table, columns, cause)
    }
  }
  return cause
}

function unique(
  constraint: 'unique' | 'primaryKey',
  table: TableModel,
  columns: readonly Column[],
  cause: SqlError,
): ConstraintError {
  const paths = columns.map((column) => column.path)
  return new ConstraintError(
    {
      constraint,
      table: table.name,
      columns: paths,
      message: `${table.name}: another row has the same ${paths.join(', ')}`,
    },
    { cause },
  )
}

function columnOf(
  tables: readonly TableModel[],
  base: string,
  name: string,
): { table: TableModel; column: Column } | undefined {
  const table = tables.find((one) => one.base === base)
  const column = table?.columns.find((one) => one.name === name)
  return table && column && { table, column }
}

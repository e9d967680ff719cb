import type { Column } from './column.ts'
import { literal, quoteName } from './sql-text.ts'

/**
 * The effective value of a column, as an expression over the base table: what the view shows, what indexes are on, and
 * what filters compare, in the same words, so that SQLite can match them.
 */
export function effectiveSql(column: Column, alias = ''): string {
  const stored = alias + quoteName(column.name)
  let sql = stored
  if (column.defaultSql !== null && !column.full)
    sql = `coalesce(${sql}, ${literal(column.defaultSql, column.storage)})`
  if (column.nullMark !== undefined) sql = `nullif(${sql}, ${literal(column.nullMark)})`
  if (column.hiddenMark !== undefined) sql = `nullif(${sql}, ${literal(column.hiddenMark)})`
  if (column.guard) sql = `CASE WHEN ${effectiveSql(column.guard, alias)} THEN ${sql} END`
  return sql
}

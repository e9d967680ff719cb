import type { Key } from '../changes/index.ts'
import { NotFoundError, ValidationError, type ValidationIssue } from '../errors/index.ts'
import { isObject } from '../schema/index.ts'
import { describe } from './describe.ts'

// What the types of a table's methods say already, for callers without them. Before anything is written.

/** Throws ValidationError for what is neither a row nor an array of rows. */
export function assertRows(table: string, what: string, rows: unknown): void {
  const list: readonly unknown[] = Array.isArray(rows) ? rows : [rows]
  for (const row of list)
    if (!isObject(row))
      throw refusal(table, undefined, `${what} expects a row, or an array of rows, not ${describe(row)}`)
}

/** Throws ValidationError for what is neither a partial row nor a recipe. */
export function assertChange(table: string, what: string, change: unknown, key?: Key): void {
  if (typeof change === 'function' || isObject(change)) return
  throw refusal(table, key, `${what} expects a partial row or a recipe, not ${describe(change)}`)
}

/** Throws NotFoundError for what is no path. */
export function assertPath(table: string, what: string, path: unknown): void {
  if (typeof path === 'string') return
  if (Array.isArray(path) && path.every((segment) => typeof segment === 'string' || typeof segment === 'number')) return
  throw new NotFoundError(
    `${what} of '${table}' expects a path such as 'text.size', or its segments, not ${describe(path)}`,
  )
}

function refusal(table: string, key: Key | undefined, message: string): ValidationError {
  const issue: ValidationIssue = { table, key, path: '', keyword: 'type', message }
  return new ValidationError([issue])
}

import { keyId, type KeyId } from '../../changes/index.ts'
import type { SqliteDriver, SqlValue } from '../../drivers/index.ts'
import { ValidationError } from '../../errors/index.ts'
import { decodeColumn, EncodeFailure, encodeColumn, encodeJson, isColumn, isHiddenMark } from '../../schema/index.ts'
import { isObject, MalformedJson, quoteName, sameSql } from '../../schema/index.ts'
import type { Column, ObjectNode, RowObject } from '../../schema/index.ts'
import type { TableRows } from './table-rows.ts'

export type StoredRows = Map<KeyId, SqlValue[]>

/**
 * The rows of a table in a file that somebody else may have made, by key. Those that differ from `known` are as the store
 * would have written them. Throws ValidationError for the first row that the store could not have written; what the
 * schema says of the row as a whole, and references, are for later.
 */
export function readForeignRows(driver: SqliteDriver, rows: TableRows, known: StoredRows): StoredRows {
  const { model } = rows.schema
  const columns = model.columns.map((column) => quoteName(column.name)).join(', ')
  const found: StoredRows = new Map()
  const isTaken = uniqueValues(rows)
  const statement = driver.prepare(`SELECT ${columns} FROM ${rows.base}`)
  try {
    for (const stored of statement.iterate()) {
      checkKey(rows, stored)
      const id = keyId(rows.keyOf(stored))
      if (found.has(id)) throw refusal(rows, stored, model.key[0]!.path, 'primaryKey', 'is there twice')
      const fitted = fitRow(rows, stored, known.get(id))
      const taken = isTaken(fitted)
      if (taken) throw refusal(rows, stored, taken, 'unique', 'has a value that another row has as well')
      found.set(id, fitted)
    }
  } finally {
    statement.finalize()
  }
  // One that requires properties is not there before they are given.
  if (found.size === 0 && rows.emptyRow)
    throw new ValidationError([
      { table: model.name, key: undefined, path: '', keyword: 'required', message: 'its only row is missing' },
    ])
  return found
}

function refusal(
  rows: TableRows,
  stored: readonly SqlValue[],
  path: string,
  keyword: string,
  message: string,
): ValidationError {
  const { model } = rows.schema
  return new ValidationError([
    { table: model.name, key: model.singleton ? undefined : rows.keyOf(stored), path, keyword, message },
  ])
}

/** Takes row after row, and says the path of a unique constraint on which one equals another: SQLite would not say which. */
function uniqueValues({ schema: { model } }: TableRows): (stored: readonly SqlValue[]) => string | undefined {
  const seen = model.unique.map(({ columns }) => ({ columns, values: new Set<string>() }))
  return (stored) => {
    for (const { columns, values } of seen) {
      const parts = columns.map(({ index }) => stored[index] ?? null)
      if (parts.some((part) => part === null)) continue
      const text = parts.map((part) => `${typeof part} ${String(part)}`).join('\0')
      if (values.has(text)) return columns.map(({ path }) => path).join(', ')
      values.add(text)
    }
    return undefined
  }
}

/** Before anything is done with it: a key of another type can't even be said. */
function checkKey({ schema: { model } }: TableRows, stored: readonly SqlValue[]): void {
  const refuse = (column: Column, message: string): never => {
    throw new ValidationError([
      { table: model.name, key: undefined, path: column.path, keyword: 'primaryKey', message: `of a key ${message}` },
    ])
  }
  for (const column of model.key) {
    const value = stored[column.index]!
    if (value === null) refuse(column, 'is missing')
    try {
      encodeColumn(column, decodeColumn(column, value))
    } catch (error) {
      if (!(error instanceof EncodeFailure)) throw error
      refuse(column, error.message)
    }
  }
}

function fitRow(rows: TableRows, stored: SqlValue[], known: readonly SqlValue[] | undefined): SqlValue[] {
  if (known && stored.every((value, n) => sameSql(value, known[n]!))) return stored
  return rows.schema.model.columns.map((column) => {
    const value = stored[column.index]!
    // A client's own copy may have it.
    if (isHiddenMark(column, value)) return value
    try {
      return fitValue(column, value, rows.schema.model.root, stored)
    } catch (error) {
      if (error instanceof EncodeFailure) throw refusal(rows, stored, column.path, error.keyword, error.message)
      if (error instanceof MalformedJson) throw refusal(rows, stored, column.path, 'type', error.message)
      if (error instanceof RangeError) throw refusal(rows, stored, column.path, 'type', 'is nested too deeply')
      throw error
    }
  })
}

function fitValue(column: Column, value: SqlValue, root: ObjectNode, stored: readonly SqlValue[]): SqlValue {
  if (value === null) return column.guard ? null : encodeAbsent(column)
  if (column.guard && (stored[column.guard.index] ?? column.guard.defaultSql) !== 1)
    throw new EncodeFailure('type', `has a value although '${column.guard.path}' is not there`)
  const decoded = decodeColumn(column, value)
  if (column.kind !== 'rest') return encodeColumn(column, decoded)
  if (!isObject(decoded)) throw new EncodeFailure('type', 'the rest of a row must be an object')
  assertUndeclared(root, decoded, stored)
  const text = encodeJson(decoded)
  return text === '{}' ? null : text
}

/** Whether NULL stands for null or for nothing: the default of a column that keeps it is stored. */
function encodeAbsent(column: Column): SqlValue {
  const value = decodeColumn(column, null)
  return value === undefined ? encodeColumn(column, undefined) : null
}

/** The rest of a row may have nothing in it that has a place of its own: the row would not show it, and SQL would. */
function assertUndeclared(node: ObjectNode, rest: RowObject, stored: readonly SqlValue[]): void {
  for (const name of Object.keys(rest)) {
    const child = node.properties.get(name)
    const value = rest[name]
    if (!child) continue
    if (isColumn(child)) {
      if (!(child.nullInRest && value === null && stored[child.index] === null))
        throw new EncodeFailure('additionalProperties', `names '${child.path}', which is a column of its own`)
    } else if (!isObject(value))
      throw new EncodeFailure('additionalProperties', `names '${child.path}', which is an object of columns`)
    else if (child.presence && (stored[child.presence.index] ?? child.presence.defaultSql) !== 1)
      throw new EncodeFailure('type', `has a value in '${child.path}', which is not there`)
    else assertUndeclared(child, value, stored)
  }
}

import { RowcastError } from '../../errors/index.ts'
import type { CellValue } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import type { Column } from './column.ts'
import { isHiddenMark, sameSql } from './encode-column.ts'

/** Text in a JSON column that is no JSON: another program, or raw SQL, wrote it. */
export class MalformedJson extends RowcastError<'malformed-json'> {
  override readonly name: string = 'MalformedJson'
  constructor(message: string, options?: { cause?: unknown }) {
    super('malformed-json', message, options)
  }
}

/**
 * The value that a stored one stands for: `undefined` for an absent property, one at its default or a hidden one. What doesn't fit
 * the column comes back as it is, for the validator to refuse. Throws MalformedJson.
 */
export function decodeColumn(column: Column, stored: SqlValue): CellValue {
  if (stored === null)
    return column.nullMark === undefined &&
      column.nullable &&
      !column.guard &&
      (column.required || column.full || column.defaultValue === null)
      ? null
      : undefined
  if (column.nullMark !== undefined && sameSql(stored, column.nullMark)) return null
  if (isHiddenMark(column, stored)) return undefined
  switch (column.kind) {
    case 'boolean':
      return stored === 1 ? true : stored === 0 ? false : stored
    case 'int64':
      return typeof stored === 'number' ? BigInt(stored) : stored
    case 'number':
    case 'union':
      // A whole number beyond 2^53 that a driver hands back as a bigint, although it went in as a number.
      return typeof stored === 'bigint' && BigInt(Number(stored)) === stored ? Number(stored) : stored
    case 'json':
    case 'rest':
      return parseJson(stored)
    case 'presence':
      return stored === 0 ? null : {}
    default:
      return stored
  }
}

export function parseJson(stored: SqlValue): CellValue {
  if (typeof stored !== 'string') throw new MalformedJson('a JSON column holds no text')
  try {
    return JSON.parse(stored) as CellValue
  } catch (error) {
    throw new MalformedJson(`'${stored.length > 40 ? `${stored.slice(0, 40)}…` : stored}' is not JSON`, {
      cause: error,
    })
  }
}

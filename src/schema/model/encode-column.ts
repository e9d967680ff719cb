import type { CellValue } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import type { Column } from './column.ts'

/** A value that a column can't keep exactly. Callers turn it into a ValidationError with table and key. */
export class EncodeFailure extends Error {
  override readonly name: string = 'EncodeFailure'
  /** The JSON Schema keyword that comes nearest. */
  readonly keyword: string

  constructor(keyword: string, message: string) {
    super(message)
    this.keyword = keyword
  }
}

/** What SQLite stores for a value: NULL for an absent one and for the default. Throws EncodeFailure. */
export function encodeColumn(column: Column, value: CellValue): SqlValue {
  if (value === undefined)
    return column.full && column.defaultValue !== undefined && column.defaultValue !== null
      ? encodeValue(column, column.defaultValue)
      : null
  if (value === null) {
    if (!column.nullable) throw new EncodeFailure('type', 'must not be null')
    if (column.kind === 'presence') return column.defaultSql === 0 ? null : 0
    return column.nullMark ?? null
  }
  const encoded = encodeValue(column, value)
  return column.defaultSql !== null && !column.full && sameSql(encoded, column.defaultSql) ? null : encoded
}

function encodeValue(column: Column, value: NonNullable<CellValue>): SqlValue {
  switch (column.kind) {
    case 'text':
      return encodeText(value)
    case 'integer':
      if (typeof value !== 'number' || !Number.isSafeInteger(value))
        throw new EncodeFailure(
          'type',
          typeof value === 'number' || typeof value === 'bigint'
            ? `${value} is not an integer between -(2^53-1) and 2^53-1: use "format": "int64" and a BigInt for larger ones`
            : 'must be integer',
        )
      return value + 0
    case 'number':
      return encodeNumber(value)
    case 'boolean':
      if (typeof value !== 'boolean') throw new EncodeFailure('type', 'must be boolean')
      return value ? 1 : 0
    case 'int64':
      if (typeof value !== 'bigint') throw new EncodeFailure('format', 'must be a BigInt (format int64)')
      if (BigInt.asIntN(64, value) !== value) throw new EncodeFailure('format', `${value} does not fit into 64 bits`)
      return value
    case 'binary':
      if (!(value instanceof Uint8Array))
        throw new EncodeFailure('contentEncoding', 'must be a Uint8Array (contentEncoding base64)')
      // A copy: the caller may go on writing to its buffer.
      return value.slice()
    case 'union':
      return typeof value === 'string' ? encodeText(value) : encodeNumber(value)
    case 'json':
    case 'rest':
      return encodeJson(value)
    case 'presence':
      return 1
  }
}

function encodeText(value: CellValue): string {
  if (typeof value !== 'string') throw new EncodeFailure('type', 'must be string')
  if (value.includes('\0'))
    throw new EncodeFailure('type', 'contains the character NUL, which SQLite ends a text with: remove it')
  if (value.charCodeAt(0) === 0xfeff)
    throw new EncodeFailure('type', 'begins with a byte order mark (U+FEFF), which is lost on reading: remove it')
  if (!value.isWellFormed())
    throw new EncodeFailure('type', 'contains half of a surrogate pair, which is no Unicode text')
  return value
}

function encodeNumber(value: CellValue): number {
  if (typeof value !== 'number') throw new EncodeFailure('type', 'must be number')
  if (!Number.isFinite(value)) throw new EncodeFailure('type', `${value} is not a number that JSON knows`)
  return value + 0 // -0 becomes 0, as in JSON
}

/** JSON text. Throws EncodeFailure for what would not come back as it was. */
export function encodeJson(value: CellValue): string {
  assertJson(value, '', new Set())
  return JSON.stringify(value)
}

function assertJson(value: unknown, at: string, inside: Set<object>): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw new EncodeFailure('type', `${value}${at && ` at ${at}`} is not a number that JSON knows`)
    return
  }
  if (typeof value !== 'object')
    throw new EncodeFailure(
      'type',
      `${value === undefined ? 'undefined' : `a ${typeof value}`}${at && ` at ${at}`} has no place in JSON`,
    )
  if (inside.has(value))
    throw new EncodeFailure('type', `an object that contains itself${at && ` at ${at}`} has no place in JSON`)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new EncodeFailure(
      'type',
      `a ${value.constructor?.name ?? 'class instance'}${at && ` at ${at}`} has no place in JSON: give plain objects`,
    )
  inside.add(value)
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) assertJson(value[index], `${at}[${index}]`, inside)
  } else {
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function')
      throw new EncodeFailure('type', `a toJSON method${at && ` at ${at}`} has no place in JSON`)
    for (const key of Object.keys(value)) {
      const member = (value as Record<string, unknown>)[key]
      if (member !== undefined) assertJson(member, `${at}.${key}`, inside)
    }
  }
  inside.delete(value)
}

/** Whether a stored value says that the server withholds the value. */
export function isHiddenMark(column: Column, stored: SqlValue): boolean {
  return column.hiddenMark !== undefined && sameSql(stored, column.hiddenMark)
}

/** Whether two stored values are the same. */
export function sameSql(a: SqlValue, b: SqlValue): boolean {
  if (a === b) return true
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    if (a.length !== b.length) return false
    for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
    return true
  }
  // A driver may hand the same integer back as number or as bigint.
  return (
    (typeof a === 'bigint' || typeof b === 'bigint') &&
    typeof a !== 'string' &&
    typeof b !== 'string' &&
    String(a) === String(b)
  )
}

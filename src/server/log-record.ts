import { parseValue, serializeValue, type RowChange } from '../changes/index.ts'
import { RowcastError } from '../errors/index.ts'
import type { Author } from './author.ts'
import type { RefusedTransaction } from './refusals.ts'

/** What one entry of a database's log says. */
export interface LogRecord extends Author {
  readonly kind: 'created' | 'transaction' | 'import' | 'rollback' | 'refused'
  /**
   * The digest of the history up to the entry before: what follows another history is no part of this one. Of the first
   * entry it is the database's incarnation. Absent in entries of before there was one: a history begins with such.
   */
  readonly parent?: string
  /** Chosen by the author, among whose transactions it is unique: one with an id that the log has is not applied again. */
  readonly id?: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly label?: string
  /** Where a database that was forked came from. */
  readonly from?: { readonly database: string; readonly sequence: number }
  /** Transactions of the same author that were refused before this one: none of them is applied behind it. */
  readonly refused?: readonly RefusedTransaction[]
  readonly changes: readonly RowChange[]
  /** How the entry is written. Absent in those of before ids had authors, whose `by` was a name that anyone could have. */
  readonly format?: typeof FORMAT
}

const FORMAT = 2

export function formatRecord(record: LogRecord): string {
  return serializeValue({ ...record, format: FORMAT })
}

/**
 * Reads an entry of the log. One of before there were authors says by whom it is as a `name` only. Throws RowcastError
 * where it is none: the log is damaged.
 */
export function parseRecord(payload: string, sequence: number): LogRecord {
  const record = parseValue(payload) as unknown as LogRecord
  if (typeof record !== 'object' || record === null || !Array.isArray(record.changes))
    throw new RowcastError('log', `entry ${sequence} of the log is no transaction: restore the log from a copy`)
  if (record.format !== undefined || record.by === undefined) return record
  const { by: name, ...rest } = record
  return { ...rest, name }
}

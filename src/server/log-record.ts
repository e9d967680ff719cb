import { allAtOnce, parseValue, serializeValue, type RowChange, type Steps } from '../changes/index.ts'
import { RowcastError } from '../errors/index.ts'
import type { Author } from './author.ts'
import type { Log } from './log.ts'
import type { RefusedTransaction } from './refusals.ts'

/** What one entry of a database's log says. */
export interface LogRecord extends Author {
  readonly kind: 'created' | 'transaction' | 'import' | 'rollback' | 'refused' | 'part'
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
  /**
   * Changes that are too many for one entry are in so many entries of kind `part` just before it, which do nothing by
   * themselves.
   */
  readonly parts?: number
  readonly changes: readonly RowChange[]
  /** How the entry is written. Absent in those of before ids had authors, whose `by` was a name that anyone could have. */
  readonly format?: typeof FORMAT
}

const FORMAT = 2

export function formatRecord(record: LogRecord): string {
  return allAtOnce(formatInSteps(record))
}

/** The same in steps. */
export function* formatInSteps({ changes, ...record }: LogRecord): Steps<string> {
  const texts: string[] = []
  for (const change of changes) {
    texts.push(serializeValue(change))
    yield
  }
  return `${serializeValue({ ...record, format: FORMAT }).slice(0, -1)},"changes":[${texts.join(',')}]}`
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

/** The changes of a record that stands for parts, of one part each. Throws what reading the log does. */
export async function* partsOf(
  log: Pick<Log, 'read'>,
  { parts = 0 }: LogRecord,
  sequence: number,
): AsyncGenerator<readonly RowChange[]> {
  for await (const entry of log.read(sequence - parts, parts)) {
    const { kind, changes } = parseRecord(entry.payload, entry.sequence)
    if (kind !== 'part')
      throw new RowcastError(
        'log',
        `entry ${entry.sequence} of the log is no part of ${sequence}: restore it from a copy`,
      )
    yield changes
  }
}

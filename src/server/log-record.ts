import { parseValue, serializeValue, type RowChange } from '../changes/index.ts'
import { RowcastError } from '../errors/index.ts'
import type { Log } from './log.ts'

/** What one entry of a database's log says. */
export interface LogRecord {
  readonly kind: 'created' | 'transaction' | 'import' | 'rollback' | 'part'
  /** Chosen by the author; a transaction with an id that the log has is not applied again. */
  readonly id?: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly by?: string
  readonly label?: string
  /** Where a database that was forked came from. */
  readonly from?: { readonly database: string; readonly sequence: number }
  /**
   * Changes that are too many for one entry are in so many entries of kind `part` just before it, which do nothing by
   * themselves.
   */
  readonly parts?: number
  readonly changes: readonly RowChange[]
}

export function formatRecord(record: LogRecord): string {
  return serializeValue(record)
}

/** Reads an entry of the log. Throws RowcastError where it is none: the log is damaged. */
export function parseRecord(payload: string, sequence: number): LogRecord {
  const record = parseValue(payload) as unknown as LogRecord
  if (typeof record !== 'object' || record === null || !Array.isArray(record.changes))
    throw new RowcastError('log', `entry ${sequence} of the log is no transaction: restore the log from a copy`)
  return record
}

/** A record with the changes of the entries that it stands for. Throws what reading the log does. */
export async function gatherParts(log: Pick<Log, 'read'>, record: LogRecord, sequence: number): Promise<LogRecord> {
  const { parts = 0 } = record
  const changes: RowChange[] = []
  for await (const entry of log.read(sequence - parts, parts)) {
    const part = parseRecord(entry.payload, entry.sequence)
    if (part.kind !== 'part')
      throw new RowcastError(
        'log',
        `entry ${entry.sequence} of the log is no part of ${sequence}: restore it from a copy`,
      )
    for (const change of part.changes) changes.push(change)
  }
  return { ...record, changes }
}

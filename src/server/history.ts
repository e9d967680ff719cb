import { createHash } from 'node:crypto'
import { NotFoundError } from '../errors/index.ts'
import { parseRecord } from './log-record.ts'
import type { Log } from './log.ts'

/** A place in the history of a database, and not only a number: a log that was put back has that number too. */
export interface Point {
  /** The last entry that is before it. */
  readonly sequence: number
  /** Of all entries up to it. */
  readonly digest: string
}

/** The digest of the history that ends with an entry: the entry names that of the one before it, so it stands for all. */
export function digestOf(payload: string): string {
  return createHash('sha256').update(payload).digest().subarray(0, 16).toString('base64url')
}

/** What a log says of the history up to an entry, by that entry or the one behind it; `undefined` where it has neither. */
export async function digestAt(log: Log, sequence: number): Promise<string | undefined> {
  const { first, last } = await log.bounds()
  const at = Math.max(sequence, first)
  if (at > last || at > sequence + 1) return undefined
  try {
    for await (const { payload } of log.read(at, 1))
      return at === sequence ? digestOf(payload) : parseRecord(payload, at).parent
  } catch (error) {
    // Another server has trimmed it meanwhile.
    if (!(error instanceof NotFoundError)) throw error
  }
  return undefined
}

/** Whether a log is known to have another history up to a point than that of the point. */
export async function isApart(
  log: Log,
  { sequence, digest }: { readonly sequence: number; readonly digest?: string | undefined },
): Promise<boolean> {
  const { last } = await log.bounds()
  if (sequence > last) return true
  if (digest === undefined) return false
  const found = await digestAt(log, sequence)
  return found !== undefined && found !== digest
}

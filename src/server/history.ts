import { NotFoundError } from '../errors/index.ts'
import { digestOf } from './digest.ts'
import { parseRecord } from './log-record.ts'
import type { Log } from './log.ts'

/** A place in the history of a database, and not only a number: a log that was put back has that number too. */
export interface Point {
  /** The last entry that is before it. */
  readonly sequence: number
  /** Of all entries up to it. */
  readonly digest: string
}

/** A state that is asked for: where the digest is not known, that of the log. */
export type Place = Pick<Point, 'sequence'> & { readonly digest?: string | undefined }

/** What of a log tells of its history. */
type History = Pick<Log, 'bounds' | 'read'>

/** What a log says of the history up to an entry, by that entry or the one behind it; `undefined` where it has neither. */
export async function digestAt(log: History, sequence: number): Promise<string | undefined> {
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
export async function isApart(log: History, { sequence, digest }: Place): Promise<boolean> {
  const { last } = await log.bounds()
  if (sequence > last) return true
  if (digest === undefined) return false
  const found = await digestAt(log, sequence)
  return found !== undefined && found !== digest
}

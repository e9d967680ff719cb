import { digestOf } from './digest.ts'
import { isApart, type Point } from './history.ts'
import { parseRecord } from './log-record.ts'
import type { Log } from './log.ts'
import type { SnapshotStorage } from './snapshot-storage.ts'

/**
 * The end of the log of a database of which nothing is there but that its making was begun, once or several times, as a
 * server that is killed leaves it: whoever goes on from there makes it. `undefined` where the database is made, or has
 * lost what was.
 */
export async function unmadeEnd(
  database: string,
  { log, snapshots }: { readonly log: Log; readonly snapshots: SnapshotStorage },
): Promise<Point | undefined> {
  const { first } = await log.bounds()
  if (first > 1) return undefined
  let end: Point = { sequence: 0, digest: '' }
  for await (const { sequence, payload } of log.read(1)) {
    if (parseRecord(payload, sequence).kind !== 'created') return undefined
    end = { sequence, digest: digestOf(payload) }
  }
  return end.sequence === 0 || (await snapshots.list(database)).length === 0 ? end : undefined
}

/** Whether a snapshot is there that the log goes on from. */
export async function isMade(
  database: string,
  { log, snapshots }: { readonly log: Log; readonly snapshots: SnapshotStorage },
): Promise<boolean> {
  for (const snapshot of await snapshots.list(database)) if (!(await isApart(log, snapshot))) return true
  return false
}

/** Whether an entry is there that makes the database anew. */
export async function isMadeAnewAt(log: Log, sequence: number): Promise<boolean> {
  for await (const { payload } of log.read(sequence, 1)) return parseRecord(payload, sequence).kind === 'created'
  return false
}

import { NotFoundError, RowcastError } from '../errors/index.ts'
import type { Sources } from './beside/work-host.ts'
import { isApart } from './history.ts'
import type { SnapshotInfo } from './snapshot-storage.ts'

/** The snapshots that were passed over on the way to one; where an older state was looked for, some of them. */
export interface PassedOver {
  /** The numbers of those that are of another history than the log. */
  readonly apart: readonly number[]
  /** Those that are not as they were written, and what was said of each. */
  readonly damaged: readonly { readonly sequence: number; readonly message: string }[]
}

interface Found {
  readonly snapshot: SnapshotInfo
  readonly bytes: Uint8Array
}

/**
 * The last snapshot up to a sequence number that is of the log's history, and as it was written. Throws NotFoundError where
 * none is, and RowcastError: `snapshot-damaged` where the log goes on from none but such, `log` where it goes on from none.
 */
export async function findSnapshot(
  database: string,
  { log, snapshots }: Sources,
  at: number,
): Promise<Found & PassedOver> {
  const apart: number[] = []
  const damaged: { readonly sequence: number; readonly message: string }[] = []
  let found: Found | undefined
  for (const snapshot of (await snapshots.list(database)).toReversed()) {
    const { sequence } = snapshot
    if (sequence > at) continue
    if (await isApart(log, snapshot)) apart.push(sequence)
    else if (!found) {
      const bytes = await snapshots.get(database, sequence).catch((error: unknown) => {
        if (!(error instanceof RowcastError) || error.code !== 'snapshot-damaged') throw error
        damaged.push({ sequence, message: error.message })
        return undefined
      })
      found = bytes && { snapshot, bytes }
    }
    if (found && at < Infinity) return { ...found, apart, damaged }
  }
  const { first, last } = await log.bounds()
  if (found && found.snapshot.sequence + 1 >= first) return { ...found, apart, damaged }
  if (damaged.length > 0) throw new RowcastError('snapshot-damaged', damaged[0]!.message)
  if (at < Infinity) throw new NotFoundError(`database '${database}' has no snapshot up to ${at}`)
  throw new RowcastError(
    'log',
    `database '${database}' has no snapshot that its log, of entries ${first} to ${last}, goes on from: restore log and snapshots from one backup${apart.length > 0 ? `; the snapshots ${apart.join(', ')} are of another history` : ''}`,
  )
}

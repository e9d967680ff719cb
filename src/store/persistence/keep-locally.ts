import { throwError } from 'rxjs'
import type { ChangeSet, RowChange } from '../../changes/index.ts'
import { RowcastError } from '../../errors/index.ts'
import type { SyncHook } from '../engine.ts'
import type { StoreInternals } from '../internals.ts'
import { decodeRecord, Journal, type KeptContents } from './journal.ts'
import type { PersistenceSession } from './persistence.ts'

/** What keeps a store. */
export interface Keeper {
  /** Resolves once all that was committed is kept. Rejects with what went wrong. */
  saved(): Promise<void>
  /** Keeps what is left, and lets go. */
  close(): Promise<void>
}

/**
 * What was committed since the snapshot happens again. Throws RowcastError for records of another kind of store. Of what was
 * rescued, commits that lay on lost ones are left out, and their number is reported.
 */
export function repeatLocally(internals: StoreInternals, { records, rescued = false }: KeptContents): void {
  const commits = records.map((bytes) => {
    const { type, changes } = decodeRecord(bytes)
    if (type === 'commit' && Array.isArray(changes)) return { changes: changes as readonly RowChange[] }
    throw new RowcastError(
      'persistence',
      'what is kept there is of a store that syncs, or of another version of rowcast: open it with `sync`, or keep this one under another name',
    )
  })
  let left = 0
  for (const commit of commits)
    try {
      internals.applyRemote(commit)
    } catch (error) {
      if (!rescued || !(error instanceof RowcastError)) throw error
      left++
    }
  if (left === 0) return
  const reason = `${left} of ${commits.length} intact transactions lay on lost ones, and were left out`
  throwError(() => new RowcastError('persistence-damaged', reason)).subscribe()
}

/** A transaction of more rows than this goes into a snapshot rather than a record, where one fits. */
const MANY_ROWS = 5_000

/** Keeps a store that has no server: every commit is a record, and the committed state a snapshot now and then. */
export function keepLocally(
  internals: StoreInternals,
  session: PersistenceSession,
  contents: KeptContents,
): Keeper & SyncHook {
  repeatLocally(internals, contents)
  const journal = new Journal(session, contents, {
    fold: (isTight) => ({ snapshot: internals.exportFile(undefined, isTight), records: [] }),
    size: () => internals.fileSize(),
  })
  return {
    pending: false,
    covers: () => false,
    committed: ({ changes }: ChangeSet) => {
      const record = { type: 'commit', changes }
      if (changes.length > MANY_ROWS) journal.noteLong(record)
      else journal.note(record)
      return Promise.resolve()
    },
    saved: () => journal.saved(),
    close: () => journal.close(),
  }
}

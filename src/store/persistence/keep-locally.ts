import type { ChangeSet, RowChange } from '../../changes/index.ts'
import type { SyncHook } from '../engine.ts'
import type { StoreInternals } from '../internals.ts'
import { decodeRecord, Journal } from './journal.ts'
import type { PersistedContents, PersistenceSession } from './persistence.ts'

/** What keeps a store. */
export interface Keeper {
  /** Resolves once all that was committed is kept. Rejects with what went wrong. */
  saved(): Promise<void>
  /** Keeps what is left, and lets go. */
  close(): Promise<void>
}

/** A transaction of more rows than this goes into a snapshot rather than a record. */
const MANY_ROWS = 5_000

/** Keeps a store that has no server: every commit is a record, and the committed state a snapshot now and then. */
export function keepLocally(
  internals: StoreInternals,
  session: PersistenceSession,
  contents: PersistedContents,
): Keeper & SyncHook {
  for (const bytes of contents.records) {
    const record = decodeRecord(bytes)
    if (record.type === 'commit') internals.applyRemote({ changes: record['changes'] as readonly RowChange[] })
  }
  const journal = new Journal(session, contents, () => ({ snapshot: internals.exportFile(), records: [] }))
  // What the store was made with has to be kept as well.
  if (!contents.snapshot) journal.foldSoon()
  return {
    pending: false,
    covers: () => false,
    committed: ({ changes }: ChangeSet) => {
      if (changes.length > MANY_ROWS) journal.foldSoon()
      else journal.note({ type: 'commit', changes })
      return Promise.resolve()
    },
    saved: () => journal.saved(),
    close: () => journal.close(),
  }
}

import type { SyncHook } from './engine.ts'
import type { StoreInternals } from './internals.ts'
import type { Folded, KeptContents } from './persistence/journal.ts'
import type { DamagedContents, PersistedContents, PersistenceSession } from './persistence/persistence.ts'
import type { CopyOwner } from './persistence/shared-session.ts'
import type { StoreSync, SyncSet } from './sync-api.ts'

/** What a sync client is started with. */
export interface SyncStart {
  readonly database: string
  /** Without it everything. */
  readonly subscribe: readonly SyncSet[] | undefined
  /** What the data that the store was made with is up to. */
  readonly position: string | undefined
  /** The user's id, as the application knows it. */
  readonly user: string | undefined
  /** Whose the copy is, as far as that is known. */
  readonly owner: CopyOwner
  /** Where the store is kept, and what was there. The snapshot is in the store already. */
  readonly kept: { readonly session: PersistenceSession; readonly contents: KeptContents } | undefined
}

/** A transaction that waits, by its id and label. */
export interface PendingNamed {
  readonly id: string
  readonly label: string | undefined
}

/** What was kept of a store with an older version of the schema. */
export interface OutdatedContents {
  readonly database: string
  readonly contents: PersistedContents
}

/** A sync client that runs. */
export interface RunningSync extends SyncHook {
  readonly api: StoreSync
  /**
   * Runs a function as a transaction that shows only once the server has confirmed it, on the newest state again where
   * that has changed. Rejects with RejectedError.
   */
  confirm<Result>(
    run: () => Result,
    options: { readonly label?: string | undefined; readonly retries: number },
  ): Promise<Result>
  /** Resolves once all that was committed is kept, where anything is. */
  saved(): Promise<void>
  close(): Promise<void>
}

/** What `createStore({ sync: { transport } })` takes: every transport of `rowcast/transport` is one. */
export interface SyncTransport {
  /** Starts to keep a store in step. */
  readonly startSync: (internals: StoreInternals, start: SyncStart) => RunningSync
  /**
   * What was kept of a store with an older version of the schema: what the server has confirmed, as a file of that
   * version, and the records that go with it, which a store of a newer one can take in. `internals` is of a store of that version,
   * which holds the snapshot.
   */
  readonly carryOver: (internals: StoreInternals, kept: OutdatedContents) => Folded
  /**
   * Whose the copy is that is kept, with what is known of who opens it. Rejects with RowcastError, code `other-user`, where
   * it is somebody else's.
   */
  readonly assertOwner: (
    records: readonly Uint8Array[],
    who: { readonly user: string | undefined; readonly database: string },
  ) => Promise<CopyOwner>
  /** The transactions among these records that are not confirmed. */
  readonly pendingIn: (records: readonly Uint8Array[]) => readonly PendingNamed[]
  /**
   * What a copy can go on with of what is intact: all that its user has done, and with `keepBase` what of the confirmed is
   * sure. Everything is fetched anew.
   */
  readonly rescue: (contents: DamagedContents, keepBase: boolean) => PersistedContents
}

import type { SyncHook } from './engine.ts'
import type { StoreInternals } from './internals.ts'
import type { Folded, KeptContents } from './persistence/journal.ts'
import type { PersistedContents, PersistenceSession } from './persistence/persistence.ts'
import type { StoreSync, SyncSet } from './sync-api.ts'

/** What a sync client is started with. */
export interface SyncStart {
  readonly database: string
  /** Without it everything. */
  readonly subscribe: readonly SyncSet[] | undefined
  /** What the data that the store was made with is up to. */
  readonly position: string | undefined
  /** Where the store is kept, and what was there. The snapshot is in the store already. */
  readonly kept: { readonly session: PersistenceSession; readonly contents: KeptContents } | undefined
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
}

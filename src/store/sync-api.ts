import type { Observable } from 'rxjs'
import type { ChangeSet } from '../changes/index.ts'

/** How a store stands with its server. */
export interface SyncStatus {
  /** `live`: in step with the server. `offline`: it will try again. `closed`: it won't; `reason` says why. */
  readonly state: 'connecting' | 'live' | 'offline' | 'closed'
  /** For people. */
  readonly reason?: string
  /** The server's code for it: `unauthenticated`, `schema-version`, … */
  readonly code?: string
  /** Whether the application should be loaded anew: the server's schema is newer. */
  readonly reload?: boolean
  /** Transactions that are not confirmed: 0 is "all saved". */
  readonly pending: number
}

/** A transaction that is not confirmed yet. */
export interface PendingTransaction {
  readonly id: string
  readonly label: string | undefined
  readonly changes: ChangeSet
  /**
   * Whether it is out of view while its verdict is awaited: something that the server has confirmed collides with it, or
   * it was made for another version of the schema.
   */
  readonly hidden: boolean
}

/** A transaction that the server refused. It is kept until it is retried or discarded. */
export interface RejectedTransaction {
  readonly id: string
  readonly label: string | undefined
  readonly changes: ChangeSet
  /** The server's code: `validation`, `constraint`, `forbidden`, `conflict`, … */
  readonly code: string
  readonly reason: string
  /**
   * Commits the changes again, as a new transaction, as far as their rows are there. Throws ValidationError and
   * ConstraintError, TransactionError within a transaction, and RowcastError with code `schema-version` for what was made
   * for another version of the schema and can't be said in this one; it then stays in the list.
   */
  retry(): void
  /** Takes it off the list. Throws TransactionError within a transaction. */
  discard(): void
}

/** A part of the database: the rows of a table, or those that match. */
export interface SyncSet {
  readonly table: string
  readonly where?: object | undefined
}

export interface SyncSubscription {
  /** Resolves once its rows are here, or it has ended. Rejects with RejectedError where the server refuses it, and with StoreClosedError where the store closes first. */
  readonly ready: Promise<void>
  /** Its rows go, but for those that another subscription shows. */
  unsubscribe(): void
}

/** Someone else who has the database open. */
export interface PresenceOther {
  /** One connection of theirs. */
  readonly session: string
  /** Whose it is: the `id` that the server's `authenticate` gave. */
  readonly user: string | undefined
  /** What they are called, for people: anyone may be called anything. */
  readonly name: string | undefined
  /** What they have set. */
  readonly state: unknown
}

/** A store's connection to its server. */
export interface StoreSync {
  readonly status$: Observable<SyncStatus>
  /** Oldest first. */
  readonly pending$: Observable<readonly PendingTransaction[]>
  readonly rejected$: Observable<readonly RejectedTransaction[]>
  /** The last of the server's sequence numbers seen; 0 before, and where permissions restrict what may be known. */
  readonly sequence: number
  /** Asks for a part of the database, beside what is subscribed already. */
  subscribe(sets: readonly SyncSet[]): SyncSubscription
  readonly presence: {
    /**
     * Says something of oneself to the others: JSON. `null` takes it back. Rows that are named as `{ table, key }` reach
     * only those who may see them. May be called as often as the pointer moves: the last state is sent 25 times a second.
     */
    set(state: unknown): void
    readonly others$: Observable<readonly PresenceOther[]>
  }
}

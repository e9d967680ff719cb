/** What is kept of one store. */
export interface PersistedContents {
  /** The newest snapshot, the bytes of a `.db` file; `undefined` where none was ever written. */
  readonly snapshot: Uint8Array | undefined
  /** The records appended after that snapshot, in their order. */
  readonly records: Uint8Array[]
}

/** What is broken of what was kept. */
export interface Damage {
  /** Whether the snapshot can't be relied on: it is not given then. */
  readonly snapshot: boolean
  /** Where records are missing among those that are intact: after how many of these, and how many bytes. */
  readonly gaps: readonly { readonly before: number; readonly bytes: number }[]
  /** What was found, for people. */
  readonly findings: readonly string[]
}

/** How much a platform lets an application store, in bytes. */
export interface QuotaEstimate {
  /** What is in use: of the whole origin in a browser, of this store's files on a disk. */
  readonly usage: number
  /** What may be in use at most: of a disk, `usage` and what is free. */
  readonly quota: number
}

/** When to tell the application that space becomes scarce. */
export interface QuotaOptions {
  /**
   * The part of the quota, above 0 and up to 1, from which on `onQuota` is called: 0.8 by default. Chromium tells pages
   * that 10 GiB more than they use are free, whatever there is: no warning comes there before a write fails.
   */
  readonly warnAt?: number | undefined
  /**
   * Called when a session opens with less space left than `warnAt` leaves, and after the write that takes it there: once,
   * and again only after usage has been below in between. Nothing has failed yet; what fails rejects with the code `quota`.
   */
  readonly onQuota?: ((estimate: QuotaEstimate) => void) | undefined
}

/** Durable storage of one store: one snapshot and the records appended since. */
export interface Persistence {
  /**
   * Opens it for this caller alone. What a crash left half-written is removed on the way. Rejects with `PersistenceError`:
   * `persistence-in-use` while another session of this name is open, here or in another tab or process (one that was
   * killed holds nothing), `persistence-unavailable` where the platform has no such storage.
   */
  open(): Promise<PersistenceSession>
  /** Removes all that is kept, in whichever state it is. Rejects with `persistence-in-use` while a session is open. */
  forget?(): Promise<void>
}

/**
 * An open `Persistence`. Calls may overlap: they take effect one after the other in the order they were made. The bytes
 * passed in must not be changed until the call has settled. After `close` every other call rejects with
 * `StoreClosedError`.
 *
 * A write that fails rejects with `PersistenceError`, with the code `quota` where space ran out, and leaves what was there
 * as it was: neither this session nor a later one sees any part of it. The session stays usable.
 */
export interface PersistenceSession {
  /**
   * What is there: the newest snapshot and, in order, the records appended after it. A record that a crash tore in
   * mid-write, and whatever follows it, is not there; one whose `append` had resolved always is. Rejects with
   * `persistence-damaged` where something is not as it was written, by its checksum: the error's `intact` and `damage` say
   * what is left and what is not. Nothing is removed; the next `replace` sets what is damaged aside.
   */
  load(): Promise<PersistedContents>
  /**
   * Appends records, which may be empty. They are on the disk once it resolves, as far as the platform can tell.
   * Overlapping calls share one flush, and its fate: if it fails, none of them has taken effect.
   * A crash before it resolves leaves the first of the records, all of them or none.
   */
  append(records: readonly Uint8Array[]): Promise<void>
  /**
   * Replaces snapshot and records at once: after a crash in the middle either the old ones or the new are there. Records
   * of appends called after it lie after the new snapshot.
   */
  replace(snapshot: Uint8Array, records?: readonly Uint8Array[]): Promise<void>
  /**
   * Whether what was written is still there, as far as that is cheap to tell: `false` where a user, another tab or the
   * browser has removed it under the session. Then only `replace` makes it whole again.
   */
  isWhole?(): Promise<boolean>
  /** Bytes used and available, `undefined` where the platform doesn't tell. */
  estimate(): Promise<QuotaEstimate | undefined>
  /** Waits for the calls made before and lets others open it. Safe to call twice. */
  close(): Promise<void>
}

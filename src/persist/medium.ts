import type { Damage, PersistedContents, QuotaEstimate } from './persistence.ts'

/** What is there and intact, and what is not. */
export interface LoadedContents extends PersistedContents {
  readonly damage?: Damage
}

/**
 * What a kind of storage does for an open session. The session calls it for one thing at a time. A write that rejects has
 * left nothing behind that a `load` would give, now or later.
 */
export interface Medium {
  load(): Promise<LoadedContents>
  append(records: readonly Uint8Array[]): Promise<void>
  replace(snapshot: Uint8Array, records: readonly Uint8Array[]): Promise<void>
  /** Whether what was written is still there. */
  isWhole(): Promise<boolean>
  estimate(): Promise<QuotaEstimate | undefined>
  /** Closes files and gives back the lock. */
  close(): Promise<void>
}

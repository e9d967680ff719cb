import type { JournalRecord } from './journal-record.ts'
import type { PersistenceSession } from './persistence.ts'

/** What a store does for a session that it shares with the stores of other tabs. */
export interface SharingStore {
  /** Of which database it is a copy: stores of another one can't share with it. */
  readonly database: string
  /** Of its schema. What is kept by a newer one is not this one's to take over, nor to write over. */
  readonly version: number
  /**
   * Takes over what a store that has gone left behind. What is known here already is left out. Tells whether it did: a
   * store that has closed leaves it where it is, for the next one.
   */
  adopt(records: readonly JournalRecord[]): boolean
  /** Writes a snapshot, soon: from now on this store's is the one that is kept. */
  fold(): void
}

/** The session of one of several stores that are kept in one place: one of them keeps the base, all keep their own. */
export interface SharedSession extends PersistenceSession {
  /** Of these records, those that are to be appended, in the form in which they are. */
  select(records: readonly JournalRecord[]): readonly JournalRecord[]
  /** Called once, when the store has what `load` gave. */
  attach(store: SharingStore): void
  /** Throws PersistenceError with code `persistence-in-use` where another store has it: this one can't share. */
  assertAlone(): void
}

export function isShared(session: PersistenceSession): session is SharedSession {
  return 'attach' in session
}

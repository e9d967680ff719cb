import type { JournalRecord } from './journal-record.ts'
import type { DamagedContents, PersistenceSession } from './persistence.ts'

/** The user's id, as the server says it, and as the application does. */
export interface CopyOwner {
  readonly user?: string
  readonly as?: string
}

/** What a store does for a session that it shares with the stores of other tabs. */
export interface SharingStore {
  /** Of which database it is a copy: stores of another one can't share with it. */
  readonly database: string
  /** Whose it is, as far as that is known: those of another user can't share with it either. */
  readonly owner: CopyOwner
  /** Of its schema. What is kept by a newer one is not this one's to take over, nor to write over. */
  readonly version: number
  /**
   * Takes over what a store that has gone left behind. What is known here already is left out. Tells whether it did: a
   * store that has closed leaves it where it is, for the next one.
   */
  adopt(records: readonly JournalRecord[]): boolean
  /** Writes a snapshot, soon: from now on this store's is the one that is kept. */
  fold(): void
  /** Resolves once all of this store is kept, in whichever state what was kept was. */
  saved(): Promise<void>
  /** Nothing is kept from now on: it is told once, and to whoever waits for `saved`. */
  fail(error: unknown): void
}

/** The session of one of several stores that are kept in one place: one of them keeps the base, all keep their own. */
export interface SharedSession extends PersistenceSession {
  /** Of these records, those that are to be appended, in the form in which they are. */
  select(records: readonly JournalRecord[]): readonly JournalRecord[]
  /**
   * Called before `load`. What is decided on a copy that is this tab's turn to keep once its store is open, and is found to
   * be damaged: `decide` throws where nobody says how to go on.
   */
  decideBy(decide: (damaged: DamagedContents, cause: unknown) => void): void
  /** Called once, when the store has what `load` gave. */
  attach(store: SharingStore): void
  /** Throws PersistenceError with code `persistence-in-use` where another store has it: this one can't share. */
  assertAlone(): void
}

export function isShared(session: PersistenceSession): session is SharedSession {
  return 'attach' in session
}

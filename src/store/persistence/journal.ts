import { throwError } from 'rxjs'
import { parseValue, serializeValue, type CellValue } from '../../changes/index.ts'
import { RowcastError } from '../../errors/index.ts'
import type { JournalRecord } from './journal-record.ts'
import type { PersistedContents, PersistenceSession } from './persistence.ts'
import { isShared } from './shared-session.ts'

/** A snapshot, and the records that go with it. */
export interface Folded {
  readonly snapshot: Uint8Array
  readonly records: readonly JournalRecord[]
}

/** What a store was opened with. */
export interface KeptContents extends PersistedContents {
  /** Whether something else lies in the persistence: of an older version of the schema. */
  readonly outdated?: boolean
  /** Whether records are missing that the others may have lain on. */
  readonly rescued?: boolean
}

/** The journal is folded into a snapshot once its records take this much, in characters, and more than the snapshot. */
const MIN_FOLD = 1_000_000

/**
 * What a store has to keep, in the order in which it happened: a snapshot, and records since. What is noted in one turn
 * travels together. A write that fails is reported, and tried again with the next one: order is kept, and nothing is
 * called saved that isn't.
 */
export class Journal {
  readonly #session: PersistenceSession
  /** Makes a snapshot and the records that it does not hold. */
  readonly #fold: () => Folded
  #waiting: JournalRecord[] = []
  #writing: Promise<void> | undefined
  #size: number
  #foldAt: number
  #foldSoon = false
  #failure: unknown
  #closed = false
  #last: Folded | undefined

  /** @param contents what the store was opened with */
  constructor(session: PersistenceSession, contents: KeptContents, fold: () => Folded) {
    this.#session = session
    this.#fold = fold
    this.#size = contents.records.reduce((sum, { length }) => sum + length, 0)
    this.#foldAt = Math.max(MIN_FOLD, contents.snapshot?.length ?? 0)
    // What the store was made with, or made of what was there, has to be kept before anything that lies on it.
    if (!contents.snapshot || contents.outdated) this.foldSoon()
  }

  note(record: JournalRecord): void {
    if (this.#closed) return
    this.#waiting.push(record)
    this.#start()
  }

  /** Writes a snapshot in place of what there is, soon: so much has changed that records would be longer. */
  foldSoon(): void {
    if (this.#closed) return
    this.#foldSoon = true
    this.#start()
  }

  /** Resolves once all that was noted is kept; what has failed before is tried again. Rejects with what went wrong. */
  async saved(): Promise<void> {
    await this.#written()
    if (this.#closed || (await this.#isWhole())) return
    // Removed under the store: what is in memory is all there is.
    this.foldSoon()
    await this.#written()
    if (!(await this.#isWhole()))
      throw new RowcastError('persistence-lost', 'what is kept is removed as soon as it is written: keep it elsewhere')
  }

  async #written(): Promise<void> {
    if (this.#unsaved) this.#start()
    while (this.#writing) await this.#writing
    if (this.#unsaved) throw this.#failure
  }

  async #isWhole(): Promise<boolean> {
    return (await this.#session.isWhole?.()) ?? true
  }

  async close(): Promise<void> {
    // The store is about to be closed: what a snapshot needs is to be read now.
    if (this.#foldSoon) this.#last = this.#fold()
    this.#closed = true
    try {
      await this.saved()
    } finally {
      await this.#session.close()
    }
  }

  get #unsaved(): boolean {
    return this.#waiting.length > 0 || this.#foldSoon
  }

  #start(): void {
    this.#writing ??= Promise.resolve()
      .then(() => this.#write())
      .finally(() => {
        this.#writing = undefined
      })
  }

  async #write(): Promise<void> {
    while (this.#unsaved) {
      const taken = this.#waiting
      this.#waiting = []
      try {
        if (this.#foldSoon || (this.#size > this.#foldAt && !this.#closed)) await this.#writeSnapshot()
        else await this.#append(taken)
      } catch (error) {
        this.#waiting = [...taken, ...this.#waiting]
        // A snapshot takes the place of what was removed; tried once, it fails as any other write.
        if (isLost(error) && !this.#foldSoon && !this.#closed) {
          this.#foldSoon = true
          continue
        }
        this.#failure = error
        throwError(() => error).subscribe()
        return
      }
    }
  }

  async #append(records: readonly JournalRecord[]): Promise<void> {
    const session = this.#session
    const bytes = (isShared(session) ? session.select(records) : records).map(encodeRecord)
    await session.append(bytes)
    this.#size += bytes.reduce((sum, { length }) => sum + length, 0)
  }

  /** What was noted before is in the snapshot, or among the records that go with it. */
  async #writeSnapshot(): Promise<void> {
    const { snapshot, records } = this.#last ?? this.#fold()
    const bytes = records.map(encodeRecord)
    const noted = this.#waiting
    this.#waiting = []
    const asked = this.#foldSoon
    // Asked for again while this one is written, it takes another: this one has nothing of what happens meanwhile.
    this.#foldSoon = false
    try {
      await this.#session.replace(snapshot, bytes)
    } catch (error) {
      this.#foldSoon ||= asked
      this.#waiting = [...noted, ...this.#waiting]
      throw error
    }
    this.#size = 0
    this.#foldAt = Math.max(MIN_FOLD, snapshot.length)
  }
}

function isLost(error: unknown): boolean {
  return error instanceof RowcastError && error.code === 'persistence-lost'
}

const encoder = new TextEncoder()

/** What `decodeRecord` reads. */
export function encodeRecord(record: JournalRecord): Uint8Array {
  return encoder.encode(serializeValue(record))
}

/** Reads what `Journal` wrote. Throws RowcastError for what it didn't. */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  const record: CellValue = parseValue(new TextDecoder().decode(bytes))
  if (typeof record !== 'object' || record === null || typeof (record as unknown as JournalRecord).type !== 'string')
    throw new RowcastError(
      'persistence',
      'a record of the persistence is none of a store: remove it, or use another name',
    )
  return record as unknown as JournalRecord
}

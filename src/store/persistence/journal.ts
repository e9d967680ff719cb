import { throwError } from 'rxjs'
import { parseValue, serializeValue, type CellValue } from '../../changes/index.ts'
import { DamagedError, RowcastError } from '../../errors/index.ts'
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

/** What a store does to be kept. */
export interface Kept {
  /**
   * Makes a snapshot and the records that it does not hold.
   *
   * @param isTight whether space is scarce: then it takes no more than it needs
   */
  fold(isTight: boolean): Folded
  /** How large a snapshot would be, roughly, in bytes. */
  size(): number
}

/** A snapshot that did not fit is tried again once the store is this part of what it was. */
const SMALLER = 0.9

/** The journal is folded into a snapshot once its records take this much, in characters, and more than the snapshot. */
const MIN_FOLD = 1_000_000

/**
 * What a store has to keep, in the order in which it happened: a snapshot, and records since. What is noted in one turn
 * travels together. A write that fails is reported, and tried again with the next one: order is kept, and nothing is
 * called saved that isn't.
 *
 * A snapshot that only saves space is written beside what lies there, once nothing else is to be written. Where it does not fit,
 * records are appended as long as there is room, and it is tried again once the store has become smaller, the records
 * have grown as much again, or nothing can be appended.
 */
export class Journal {
  readonly #session: PersistenceSession
  readonly #kept: Kept
  #waiting: JournalRecord[] = []
  #writing: Promise<void> | undefined
  #size: number
  #foldAt: number
  /** Whether a snapshot has to be written before anything else. */
  #foldSoon = false
  /** Whether one would take less than the records that wait. */
  #foldRather = false
  /** How large the store was when a snapshot did not fit. */
  #unfitAt: number | undefined
  #idling = false
  /** Whether somebody waits for what could not be kept. */
  #isAsked = false
  #failure: unknown
  #closed = false
  #last: Folded | undefined

  /** @param contents what the store was opened with */
  constructor(session: PersistenceSession, contents: KeptContents, kept: Kept) {
    this.#session = session
    this.#kept = kept
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

  /** Notes one that is long: a snapshot is written rather, if it fits. */
  noteLong(record: JournalRecord): void {
    if (this.#closed) return
    this.#foldRather = true
    this.note(record)
  }

  /** Writes a snapshot in place of what there is, soon, and nothing before it: it does not lie on that. */
  foldSoon(): void {
    if (this.#closed) return
    this.#foldSoon = true
    this.#start()
  }

  /** What went wrong is told; what is damaged stays so, and is told of once. */
  fail(error: unknown): void {
    const isKnown = isDamaged(error) && isDamaged(this.#failure)
    this.#failure = error
    if (!isKnown) throwError(() => error).subscribe()
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
    if (this.#unsaved) {
      this.#isAsked = true
      this.#start()
    }
    while (this.#writing) await this.#writing
    if (this.#unsaved) throw this.#failure
  }

  async #isWhole(): Promise<boolean> {
    return (await this.#session.isWhole?.()) ?? true
  }

  /** The store is about to be something else than what is kept: what was noted is kept still, and nothing that comes. */
  leave(): void {
    if (this.#closed) return
    // What a snapshot needs is to be read now.
    if (this.#foldSoon || this.#foldRather || (this.#unsaved && this.#isScarce))
      this.#last = this.#kept.fold(this.#isScarce)
    this.#closed = true
  }

  async close(): Promise<void> {
    this.leave()
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
        this.#foldWhenIdle()
      })
  }

  /** What is kept is kept already: a snapshot makes it shorter, and nobody waits for it. */
  #foldWhenIdle(): void {
    if (this.#idling || this.#unsaved || !this.#isWorthwhile) return
    this.#idling = true
    void this.#foldOnceIdle()
  }

  async #foldOnceIdle(): Promise<void> {
    await idle()
    this.#idling = false
    if (this.#closed || !this.#isWorthwhile) return
    this.#foldRather = true
    this.#start()
  }

  get #isWorthwhile(): boolean {
    return !this.#closed && (this.#size > this.#foldAt || this.#isSmaller)
  }

  /** Whether a snapshot did not fit the last time. */
  get #isScarce(): boolean {
    return this.#unfitAt !== undefined
  }

  get #isSmaller(): boolean {
    return this.#unfitAt !== undefined && this.#kept.size() < this.#unfitAt * SMALLER
  }

  async #write(): Promise<void> {
    while (this.#unsaved || this.#foldRather) {
      const taken = this.#waiting
      this.#waiting = []
      try {
        if (this.#foldSoon) await this.#writeSnapshot()
        else if (!this.#foldRather || !(await this.#foldsIfItFits())) await this.#appendOrFold(taken)
      } catch (error) {
        this.#waiting = [...taken, ...this.#waiting]
        // A snapshot takes the place of what was removed; tried once, it fails as any other write.
        if (isLost(error) && !this.#foldSoon && !this.#closed) {
          this.#foldSoon = true
          continue
        }
        this.fail(error)
        return
      }
    }
  }

  /** Gives whether a snapshot was written, which holds all that was noted. */
  async #foldsIfItFits(): Promise<boolean> {
    this.#foldRather = false
    this.#isAsked = false
    // Closed since, it can't be made any more.
    if (this.#closed && !this.#last) return false
    const wasScarce = this.#isScarce
    const size = this.#closed ? (this.#unfitAt ?? 0) : this.#kept.size()
    try {
      await this.#writeSnapshot()
      return true
    } catch (error) {
      this.#unfitAt = size
      this.#foldAt = this.#size + Math.max(MIN_FOLD, size)
      if (wasScarce || this.#closed) return false
      // One that takes no more than it needs may fit.
      if (await this.#foldsIfItFits()) return true
      // Told once, while all is kept still.
      throwError(() => error).subscribe()
      return false
    }
  }

  async #appendOrFold(records: readonly JournalRecord[]): Promise<void> {
    try {
      await this.#append(records)
    } catch (error) {
      if (!isOutOfSpace(error)) throw error
      // A snapshot of less than what lies there may fit where no record does. It is not tried at every write.
      const isDue = this.#isAsked || !this.#isScarce || (!this.#closed && this.#isSmaller) || this.#last
      if (!isDue || !(await this.#foldsIfItFits())) throw error
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
    const { snapshot, records } = this.#last ?? this.#kept.fold(this.#isScarce)
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
    this.#unfitAt = undefined
  }
}

function isDamaged(error: unknown): boolean {
  return error instanceof DamagedError
}

function isLost(error: unknown): boolean {
  return error instanceof RowcastError && error.code === 'persistence-lost'
}

/** Resolves once the page has nothing better to do; at once where there is none. */
function idle(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof requestIdleCallback === 'function') requestIdleCallback(() => resolve(), { timeout: 2_000 })
    else resolve()
  })
}

function isOutOfSpace(error: unknown): boolean {
  return error instanceof RowcastError && error.code === 'quota'
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

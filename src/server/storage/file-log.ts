import { setImmediate } from 'node:timers/promises'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { NotFoundError, StoreClosedError } from '../../errors/index.ts'
import { assertAppend } from '../assert-append.ts'
import { digestOf } from '../digest.ts'
import { LogConflictError, LogPartedError, LogUncertainError } from '../log-errors.ts'
import type { Log, LogEntry } from '../log.ts'
import { sqlFailure } from './log-database.ts'
import { assertPayloads, assertSequence } from '../names.ts'

/** A read, a trim and a count of bytes let others at the event loop after so many entries or, for a read, so many UTF-16 units. */
const chunkEntries = 1_000
const chunkLength = 1 << 20

/** The log of one database in one SQLite file. */
export class FileLog implements Log {
  readonly #what: string
  readonly #database: DatabaseSync
  readonly #bounds: StatementSync
  readonly #insert: StatementSync
  readonly #select: StatementSync
  readonly #bytes: StatementSync
  readonly #moveOrigin: StatementSync
  readonly #lowest: StatementSync
  readonly #delete: StatementSync
  #isOpen = true
  /** Whether a commit has failed since one last went through. */
  #isUncertain = false

  constructor(name: string, database: DatabaseSync) {
    this.#what = `log of '${name}'`
    this.#database = database
    // One statement, so that another process can't trim between its two numbers.
    this.#bounds = database.prepare(
      'SELECT sequence AS origin, max(sequence, ifnull((SELECT max(sequence) FROM log), 0)) AS last FROM origin',
    )
    this.#insert = database.prepare('INSERT INTO log VALUES (?, ?)')
    this.#select = database.prepare(
      'SELECT sequence, payload FROM log WHERE sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?',
    )
    // Of a long text the length is known without reading it.
    this.#bytes = database.prepare(
      'SELECT ifnull(sum(octet_length(payload)), 0) AS bytes FROM log WHERE sequence BETWEEN ? AND ?',
    )
    this.#moveOrigin = database.prepare('UPDATE origin SET sequence = max(sequence, ?)')
    this.#lowest = database.prepare('SELECT min(sequence) AS lowest FROM log')
    this.#delete = database.prepare('DELETE FROM log WHERE sequence <= ?')
  }

  async bounds(): Promise<{ readonly first: number; readonly last: number }> {
    this.#settle()
    return this.#readBounds()
  }

  async append(payloads: readonly string[], expected: number, digest?: string): Promise<void> {
    this.#assertOpen()
    assertPayloads(payloads, this.#what)
    this.#settle()
    this.#write(() => {
      const { last } = this.#readBounds()
      assertAppend({ log: this.#what, expected, digest, last }, (sequence) => this.#digestAt(sequence))
      let sequence = last
      for (const payload of payloads) this.#insert.run(++sequence, payload)
    })
  }

  async *read(from: number, limit: number = Infinity): AsyncGenerator<LogEntry, undefined> {
    this.#settle()
    const { first, last } = this.#readBounds()
    if (!(from >= first)) throw this.#trimmed(from)
    const end = Math.min(last, from + limit - 1)
    for (let next = from; next <= end;) {
      for (const entry of this.#readChunk(next, end)) {
        yield entry
        next = entry.sequence + 1
      }
      if (next <= end) await setImmediate()
    }
  }

  async bytes(from: number, to: number): Promise<number> {
    this.#settle()
    let sum = 0
    for (let next = from; ; next += chunkEntries) {
      this.#assertOpen()
      // What lies below the first entry is trimmed, deleted or not.
      const { first, last } = this.#readBounds()
      next = Math.max(next, first)
      const end = Math.min(to, last, next + chunkEntries - 1)
      if (end < next) return sum
      const { bytes } = this.#attempt(() => this.#bytes.get(next, end)) as { bytes: number }
      sum += bytes
      if (end === to) return sum
      await setImmediate()
    }
  }

  async trim(before: number): Promise<void> {
    assertSequence(before, `the number to trim the ${this.#what} before`)
    this.#settle()
    // The origin first: what a crash leaves below it counts as gone, and the next trim deletes it.
    const origin = Math.min(before - 1, this.#readBounds().last)
    this.#write(() => this.#moveOrigin.run(origin))
    while (this.#isOpen && this.#deleteSome()) await setImmediate()
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#database.close()
  }

  #readBounds(): { first: number; last: number } {
    const { origin, last } = this.#attempt(() => this.#bounds.get()) as { origin: number; last: number }
    return { first: origin + 1, last }
  }

  #digestAt(sequence: number): string | undefined {
    if (!Number.isSafeInteger(sequence)) return undefined
    const row = this.#select.get(sequence, sequence, 1) as { payload: string } | undefined
    return row && digestOf(row.payload)
  }

  #readChunk(from: number, end: number): LogEntry[] {
    this.#assertOpen()
    const entries: LogEntry[] = []
    let length = 0
    this.#attempt(() => {
      for (const row of this.#select.iterate(from, end, chunkEntries)) {
        const entry = row as { sequence: number; payload: string }
        entries.push({ sequence: entry.sequence, payload: entry.payload })
        length += entry.payload.length
        if (length >= chunkLength) break
      }
    })
    if (entries[0]?.sequence !== from) throw this.#trimmed(from)
    return entries
  }

  /** Deletes a chunk of what lies below the origin; whether there may be more. */
  #deleteSome(): boolean {
    const { first } = this.#readBounds()
    const { lowest } = this.#attempt(() => this.#lowest.get()) as { lowest: number | null }
    if (lowest === null || lowest >= first) return false
    this.#write(() => this.#delete.run(Math.min(first - 1, lowest + chunkEntries - 1)))
    return true
  }

  /**
   * After a commit that failed its pages may lie whole in the WAL, where only a crash would bring them to light. A
   * commit that goes through overwrites them; what can be read then is what is there.
   */
  #settle(): void {
    this.#assertOpen()
    if (!this.#isUncertain) return
    // Counts, as an update that changes nothing writes nothing.
    this.#write(() => this.#database.exec('UPDATE origin SET settled = settled + 1'))
  }

  /** A transaction. Takes the lock at once, so that what it reads stays true until it commits. */
  #write(work: () => void): void {
    this.#attempt(() => this.#database.exec('BEGIN IMMEDIATE'))
    try {
      this.#attempt(work)
    } catch (error) {
      this.#rollBack()
      throw error
    }
    try {
      this.#database.exec('COMMIT')
      this.#isUncertain = false
    } catch (error) {
      this.#isUncertain = true
      this.#rollBack()
      throw new LogUncertainError(this.#what, { cause: error })
    }
  }

  #rollBack(): void {
    // SQLite has done so itself after some failures.
    if (this.#database.isTransaction) this.#attempt(() => this.#database.exec('ROLLBACK'))
  }

  #attempt<Result>(work: () => Result): Result {
    try {
      return work()
    } catch (error) {
      if (error instanceof LogConflictError || error instanceof LogPartedError) throw error
      throw sqlFailure(error, `the ${this.#what} can't be used, and nothing was changed`)
    }
  }

  #trimmed(from: number): NotFoundError {
    return new NotFoundError(
      `the ${this.#what} has no entry ${from}: it was trimmed to begin at ${this.#readBounds().first}; start from a snapshot`,
    )
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new StoreClosedError(`the ${this.#what}`)
  }
}

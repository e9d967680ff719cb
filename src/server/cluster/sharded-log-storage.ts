import { createHash, randomUUID } from 'node:crypto'
import { setImmediate as immediate } from 'node:timers/promises'
import { NotFoundError, RowcastError, StoreClosedError } from '../../errors/index.ts'
import { assertAppend } from '../assert-append.ts'
import type { Log, LogEntry, LogStorage } from '../log.ts'
import { assertDatabaseName, assertPayloads, assertSequence } from '../names.ts'
import type { LogEnd } from './gather.ts'
import { SILENCE_MS, type Shard } from './shard.ts'
import { lastDigest, type DatabaseLog, type Segment } from './shard-state.ts'

/** A read lets others at the event loop after so many entries. */
const CHUNK_ENTRIES = 1_000

/** Logs of databases in the logs of shards: a database's shard follows from its name. */
export class ShardedLogStorage implements LogStorage {
  readonly #shards: readonly Shard[]
  /** How often each log is open here. */
  readonly #open = new Map<string, number>()
  /** How many logs of each shard are open here. */
  readonly #openIn = new Map<Shard, number>()

  constructor(shards: readonly Shard[]) {
    this.#shards = shards
  }

  /** The shard of a database. */
  shardOf(database: string): Shard {
    return this.#shards[this.numberOf(database)]!
  }

  numberOf(database: string): number {
    return createHash('sha256').update(database).digest().readUInt32BE() % this.#shards.length
  }

  /** Whether a log of a shard is open here. */
  isInUse(shard: Shard): boolean {
    return (this.#openIn.get(shard) ?? 0) > 0
  }

  async open(database: string, options: { readonly create?: boolean; readonly start?: number } = {}): Promise<Log> {
    const { create = false, start = 0 } = options
    assertDatabaseName(database)
    assertSequence(start, `the start of the log of '${database}'`)
    const shard = this.shardOf(database)
    await shard.refresh()
    // One that was made may be deleted in the same record.
    if (create)
      while (!shard.databases.has(database))
        await shard.append((logOf) => (logOf(database) ? [] : [{ do: 'open', database, id: randomUUID(), start }]))
    const log = shard.databases.get(database)
    if (!log) throw new NotFoundError(`there is no log of '${database}': open it with create to begin one`)
    this.#count(database, 1)
    return new ShardedLog(database, log.id, shard, () => this.#count(database, -1))
  }

  async list(): Promise<readonly string[]> {
    await Promise.all(this.#shards.map((shard) => shard.look()))
    return this.#shards.flatMap(({ databases }) => [...databases.keys()]).toSorted()
  }

  async delete(database: string): Promise<void> {
    assertDatabaseName(database)
    if (this.#open.has(database))
      throw new RowcastError('log-in-use', `the log of '${database}' is open: close it before it is deleted`)
    await this.shardOf(database).append((logOf) => (logOf(database) ? [{ do: 'delete', database }] : []))
  }

  #count(database: string, by: number): void {
    const shard = this.shardOf(database)
    this.#openIn.set(shard, (this.#openIn.get(shard) ?? 0) + by)
    const open = (this.#open.get(database) ?? 0) + by
    if (open === 0) this.#open.delete(database)
    else this.#open.set(database, open)
  }
}

class ShardedLog implements Log {
  readonly #database: string
  /** Of the log that was opened: one of the same name that was made later is another. */
  readonly #id: string
  readonly #shard: Shard
  readonly #closed: () => void
  #isOpen = true
  /** The segment that was read last. */
  #read: { readonly key: string; readonly payloads: readonly string[] } | undefined

  constructor(database: string, id: string, shard: Shard, closed: () => void) {
    this.#database = database
    this.#id = id
    this.#shard = shard
    this.#closed = closed
  }

  async bounds(): Promise<{ readonly first: number; readonly last: number }> {
    const { origin, last } = await this.#refreshed()
    return { first: origin + 1, last }
  }

  async append(payloads: readonly string[], expected: number, digest?: string): Promise<void> {
    this.#assertOpen()
    assertPayloads(payloads, this.#what)
    const database = this.#database
    await this.#shard.append((logOf) => {
      const end = this.#same(logOf(database))
      const { last } = end
      assertAppend({ log: this.#what, expected, digest, last }, (at) => (at === last ? lastDigest(end) : undefined))
      return payloads.map((payload, n) => ({ do: 'append', database, sequence: last + 1 + n, payload }))
    })
  }

  async *read(from: number, limit: number = Infinity): AsyncGenerator<LogEntry, undefined> {
    const { origin, last } = await this.#refreshed()
    if (!(from > origin)) throw this.#trimmed(from)
    const end = Math.min(last, from + limit - 1)
    for (let next = from; next <= end;) {
      for (const payload of await this.#chunk(next, end)) yield { sequence: next++, payload }
      if (next <= end) await immediate()
    }
  }

  async bytes(from: number, to: number): Promise<number> {
    const { origin, last, segments } = await this.#refreshed()
    const end = Math.min(to, last)
    let sum = 0
    for (let next = Math.max(from, origin + 1); next <= end;) {
      const whole = segments.find((segment) => segment.first === next && segment.last <= end)
      if (whole) {
        sum += whole.bytes
        next = whole.last + 1
        continue
      }
      const payloads = await this.#chunk(next, end)
      for (const payload of payloads) sum += Buffer.byteLength(payload)
      next += payloads.length
    }
    return sum
  }

  async trim(before: number): Promise<void> {
    this.#assertOpen()
    assertSequence(before, `the number to trim the ${this.#what} before`)
    const database = this.#database
    await this.#shard.append((logOf) => {
      this.#same(logOf(database))
      return [{ do: 'trim', database, before }]
    })
  }

  async prove(): Promise<number> {
    this.#assertOpen()
    if (this.#shard.yields) await this.#shard.prove(SILENCE_MS)
    return this.#log().last
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#closed()
  }

  /** Payloads from a number on, up to another at most. Throws NotFoundError where they were trimmed meanwhile. */
  async #chunk(from: number, end: number): Promise<readonly string[]> {
    const { origin, last, segments, tail } = this.#log()
    if (from <= origin) throw this.#trimmed(from)
    const upTo = Math.min(end, from + CHUNK_ENTRIES - 1)
    const segment = segments.find((one) => one.first <= from && from <= one.last)
    if (!segment) {
      const first = last - tail.length + 1
      return tail.slice(from - first, upTo - first + 1)
    }
    const payloads = await this.#segment(segment).catch(async (error: unknown) => {
      await this.#shard.refresh()
      if (from <= this.#log().origin) throw this.#trimmed(from)
      throw error
    })
    return payloads.slice(from - segment.first, upTo - segment.first + 1)
  }

  async #segment(segment: Segment): Promise<readonly string[]> {
    if (this.#read?.key !== segment.key) this.#read = { key: segment.key, payloads: await this.#shard.segment(segment) }
    return this.#read.payloads
  }

  async #refreshed(): Promise<DatabaseLog> {
    this.#assertOpen()
    await this.#shard.refresh()
    return this.#log()
  }

  #log(): DatabaseLog {
    this.#assertOpen()
    return this.#same(this.#shard.databases.get(this.#database))
  }

  #same<Found extends LogEnd>(log: Found | undefined): Found {
    if (log?.id === this.#id) return log
    throw new NotFoundError(
      `the ${this.#what} was deleted${log ? ', and another one made' : ''}: open the database anew`,
    )
  }

  #trimmed(from: number): NotFoundError {
    const first = (this.#shard.databases.get(this.#database)?.origin ?? 0) + 1
    return new NotFoundError(
      `the ${this.#what} has no entry ${from}: it was trimmed to begin at ${first}; start from a snapshot`,
    )
  }

  get #what(): string {
    return `log of '${this.#database}'`
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new StoreClosedError(`the ${this.#what}`)
  }
}

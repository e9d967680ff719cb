import { setTimeout as delay } from 'node:timers/promises'
import { RowcastError, StoreClosedError } from '../../errors/index.ts'
import { LogUncertainError } from '../log-errors.ts'
import { Serial } from '../serial.ts'
import type { ShardArchive } from './shard-archive.ts'
import { decodeRecord, encodeRecord, type NodeInfo, type Operation, type ShardRecord } from './shard-record.ts'
import { ShardState, type Claim, type DatabaseLog, type Segment } from './shard-state.ts'
import type { SlotLog } from './slot-log.ts'

export interface ShardOptions {
  readonly slots: SlotLog
  /** Where the tail goes once it is long; it stays where it is, and in memory, without. */
  readonly archive?: ShardArchive | undefined
  readonly node: NodeInfo
  /** The least time between two appends, in milliseconds; 0 if not given. */
  readonly commitEveryMs?: number | undefined
}

/** What decisions rest on. */
export type LogEnd = Pick<DatabaseLog, 'id' | 'last' | 'lastPayload' | 'digest'>

/** Decides, on the logs with all that goes before it, which operations are to be appended; none is fine. May throw. */
export type Decision = (logOf: (database: string) => LogEnd | undefined) => readonly Operation[]

interface Waiting {
  readonly decide: Decision
  readonly settle: () => void
  readonly fail: (error: unknown) => void
}

/** Someone who waits, and how to tell what was decided: done, or refused. It holds once the log is known to be as it was. */
interface Decided {
  readonly waiting: Waiting
  readonly tell: () => void
}

/** Payloads of one record, in UTF-16 units: it ends with what brings more. */
const MOST_GATHERED = 4 << 20
/** Slots between the end of the log and a claim against an owner that goes on writing. */
const AHEAD = 8
/**
 * So many slots at the end are never deleted: a gap before them was trimmed, one within them is before a claim that was put
 * ahead. Claims are put ahead by less.
 */
const NEVER_DELETED = 64
/** Records that are read at once. */
const AT_ONCE = 32

/** The logs as they are once the operations are done that are decided upon, as far as decisions ask. */
class Staged {
  readonly #databases: ReadonlyMap<string, DatabaseLog>
  readonly #changed = new Map<string, LogEnd | undefined>()

  constructor(databases: ReadonlyMap<string, DatabaseLog>) {
    this.#databases = databases
  }

  get(database: string): LogEnd | undefined {
    return this.#changed.has(database) ? this.#changed.get(database) : this.#databases.get(database)
  }

  do(operation: Operation): void {
    const { database } = operation
    if (operation.do === 'open') this.#changed.set(database, { id: operation.id, last: operation.start })
    if (operation.do === 'delete') this.#changed.set(database, undefined)
    if (operation.do === 'append') {
      const { sequence: last, payload: lastPayload } = operation
      this.#changed.set(database, { id: this.get(database)!.id, last, lastPayload })
    }
  }
}

/**
 * The log of a shard, as one server sees it: many databases, whose appends are gathered into one record after the other
 * (group commit). Who appends is its owner, by a claim in the log itself; an owner whose claim was overtaken finds out by
 * its next append, which meets the claim or what fills the slots before it. No clock decides anything.
 */
export class Shard {
  readonly #options: ShardOptions
  readonly #serial = new Serial()
  readonly #waiting: Waiting[] = []
  readonly #closing = new AbortController()
  #pumping = false
  #archiving: Promise<void> | undefined
  #state = new ShardState()
  /** The slot of the last append of which nobody knew: until another record is in it, it may still arrive. */
  #uncertain = 0
  /** Of the last append. */
  #appendedAt = -Infinity
  #archivedAt = performance.now()
  /** The slots before it are deleted, but for those that stay. */
  #deletedBefore = 1

  constructor(options: ShardOptions) {
    this.#options = options
  }

  /** The owner, as of the last time that the log was read. */
  get claim(): Claim | undefined {
    return this.#state.claim
  }

  get isOwner(): boolean {
    return this.#state.claim?.node.id === this.#options.node.id
  }

  /** How far the log is read. */
  get next(): number {
    return this.#state.next
  }

  /**
   * What is in no segment: bytes of payloads, records (but for the first behind a checkpoint, which is the one that names
   * it), and for how long the oldest of them may have been there.
   */
  get tail(): { readonly bytes: number; readonly records: number; readonly sinceMs: number } {
    const { next, checkpoint, tailBytes } = this.#state
    const sinceMs = performance.now() - this.#archivedAt
    return { bytes: tailBytes, records: Math.max(0, next - 1 - checkpoint), sinceMs }
  }

  get databases(): ReadonlyMap<string, DatabaseLog> {
    return this.#state.databases
  }

  /** Reads what others have appended. What became of an append of this server's of which nobody knew is settled by it. */
  refresh(): Promise<void> {
    return this.#run(async () => {
      await this.#read()
      if (this.#isUncertain) await this.#own()
    })
  }

  /** Becomes the owner, whoever was it. */
  own(): Promise<void> {
    return this.#run(() => this.#own())
  }

  /**
   * Appends operations, durable once it resolves, and becomes the owner for it where another one is. Rejects with what the
   * decision throws; with LogUncertainError where it is closed meanwhile.
   */
  append(decide: Decision): Promise<void> {
    return new Promise((settle, fail) => {
      this.#waiting.push({ decide, settle, fail })
      if (!this.#pumping) void this.#pump()
    })
  }

  /**
   * Puts the tail into segments, and deletes the records that are in them, where this server is the owner. What fails
   * leaves more than is needed.
   */
  archive(): Promise<void> {
    this.#archiving ??= this.#archive().finally(() => (this.#archiving = undefined))
    return this.#archiving
  }

  /** The payloads of a segment. Throws RowcastError (`log`) where it is gone, or not as it was written. */
  segment(segment: Segment): Promise<readonly string[]> {
    return this.#options.archive!.segment(segment, this.#closing.signal)
  }

  /** Gives up what is under way; nobody knows then of an append whether it took effect. */
  async close(): Promise<void> {
    this.#closing.abort(new StoreClosedError(`the log at ${this.#options.slots.address}`))
    // Whoever asked for it is told what failed.
    await Promise.allSettled([this.#archiving])
    await this.#serial.run(() => undefined)
  }

  #run<Result>(task: () => Promise<Result>): Promise<Result> {
    return this.#serial.run(() => {
      this.#closing.signal.throwIfAborted()
      return task()
    })
  }

  async #archive(): Promise<void> {
    const { archive } = this.#options
    const { signal } = this.#closing
    if (!archive || !this.isOwner) return
    const state = this.#state
    const { checkpoint: earlier } = state
    const written = await archive.write(state.copy(), signal).catch(async (error: unknown) => {
      await this.#run(() => this.#read())
      // Who has gone further meanwhile deletes what was written.
      if (this.#state.checkpoint === earlier) throw error
    })
    if (!written) return
    const isNamed = await this.#run(async () => {
      if (!(await this.#put((epoch) => ({ kind: 'operations', epoch, operations: [], checkpoint: written.next }))))
        return false
      // It went on from another's checkpoint, and has that one's segments.
      if (this.#state !== state) return false
      state.archived(written)
      this.#archivedAt = performance.now()
      return true
    })
    if (!isNamed) return
    // Beside the appends: what goes is needed by nobody, whoever is the owner meanwhile.
    const dropped = [...state.dropped]
    await archive.delete(dropped, signal)
    state.dropped.splice(0, dropped.length)
    await archive.deleteCheckpoints(earlier, signal)
    await this.#deleteBefore(written.next)
  }

  async #pump(): Promise<void> {
    this.#pumping = true
    try {
      while (this.#waiting.length > 0) await this.#serial.run(() => this.#appendWaiting())
    } finally {
      this.#pumping = false
    }
  }

  /** One record of what waits. All that goes wrong is told to those who wait. */
  async #appendWaiting(): Promise<void> {
    const { signal } = this.#closing
    let taken: readonly Decided[] = []
    let isUncertain = false
    try {
      signal.throwIfAborted()
      await this.#own()
      await this.#rest()
      const { operations, decided } = this.#gather()
      taken = decided
      isUncertain = operations.length > 0
      const isLatest = isUncertain
        ? await this.#put((epoch) => ({ kind: 'operations', epoch, operations, checkpoint: this.#state.checkpoint }))
        : await this.#isLatest()
      if (isLatest) for (const { tell } of taken) tell()
      // They are decided again on what the log has by now.
      else this.#waiting.unshift(...taken.map(({ waiting }) => waiting))
    } catch (error) {
      const failure = isUncertain
        ? new LogUncertainError(`log at ${this.#options.slots.address}`, { cause: error })
        : error
      const failed = taken.length > 0 ? taken.map(({ waiting }) => waiting) : this.#waiting.splice(0)
      for (const { fail } of failed) fail(failure)
    }
  }

  #gather(): { readonly operations: readonly Operation[]; readonly decided: readonly Decided[] } {
    const staged = new Staged(this.#state.databases)
    const operations: Operation[] = []
    const decided: Decided[] = []
    for (let length = 0; this.#waiting.length > 0 && length < MOST_GATHERED;) {
      const waiting = this.#waiting.shift()!
      try {
        for (const operation of waiting.decide((database) => staged.get(database))) {
          staged.do(operation)
          operations.push(operation)
          if (operation.do === 'append') length += operation.payload.length
        }
        decided.push({ waiting, tell: waiting.settle })
      } catch (error) {
        decided.push({ waiting, tell: () => waiting.fail(error) })
      }
    }
    return { operations, decided }
  }

  /** Whether nothing was appended since the log was read: an owner that was deposed would decide on what is no more. */
  async #isLatest(): Promise<boolean> {
    const { next } = this.#state
    await this.#read()
    return this.#state.next === next
  }

  async #rest(): Promise<void> {
    const leftMs = this.#appendedAt + (this.#options.commitEveryMs ?? 0) - performance.now()
    if (leftMs > 0) await delay(leftMs, undefined, { signal: this.#closing.signal })
  }

  /** Appends a record as the owner: whether it is there; `false` where this server is the owner no more. */
  async #put(make: (epoch: number) => ShardRecord): Promise<boolean> {
    const { slots } = this.#options
    const { signal } = this.#closing
    while (this.isOwner) {
      const record = make(this.#state.claim!.slot)
      const { next } = this.#state
      this.#appendedAt = performance.now()
      const isThere = await slots.put(next, encodeRecord(record), { signal }).catch((error: unknown) => {
        this.#uncertain = next
        throw error
      })
      if (isThere) {
        this.#state.apply(record)
        return true
      }
      await this.#read()
    }
    return false
  }

  get #isUncertain(): boolean {
    return this.#state.next <= this.#uncertain
  }

  /**
   * A claim at the end of the log first. Against an owner that goes on writing ahead of it, and the slots before are filled:
   * it is in force once all of them are taken, and read. An owner of whose append nobody knows claims anew: its claim lies
   * in that slot then, or behind it.
   */
  async #own(): Promise<void> {
    const { slots, node } = this.#options
    const { signal } = this.#closing
    for (let attempt = 0; !this.isOwner || this.#isUncertain; attempt++) {
      await this.#read()
      if (this.isOwner && !this.#isUncertain) return
      const { next, checkpoint } = this.#state
      const at = next + (attempt % 2 === 0 ? 0 : AHEAD)
      const isThere = await slots.put(at, encodeRecord({ kind: 'claim', node, checkpoint }), { signal })
      if (!isThere) continue
      const gap = Array.from({ length: at - next }, (_, n) => next + n)
      await Promise.all(gap.map((slot) => slots.put(slot, encodeRecord({ kind: 'gap', checkpoint }), { signal })))
      // It counts once it is read: one that lies where the log was trimmed, or that another has overtaken, is not in force.
    }
  }

  /**
   * Takes in all records up to the first slot that is empty. A claim, or what fills the slots before one, may have arrived
   * late, in a slot that was trimmed: where the log has a checkpoint behind one that was just read, that is gone on from.
   * Whoever trimmed had named it in the log before, so that one who lists after reading such a record knows.
   */
  async #read(): Promise<void> {
    const { slots } = this.#options
    const { signal } = this.#closing
    for (let doubtful = Infinity; ;) {
      const from = this.#state.next
      const listed = await slots.slots(from - 1, { signal })
      const run = listed.findIndex((slot, n) => slot !== from + n)
      const there = run === -1 ? listed : listed.slice(0, run)
      const { isWhole, firstOther } = await this.#take(there)
      doubtful = Math.min(doubtful, firstOther)
      const isTrimmed = isWhole && (listed.at(-1) ?? 0) >= this.#state.next + NEVER_DELETED
      if (doubtful < this.#state.checkpoint || isTrimmed) {
        if (await this.#jump(listed, Math.min(doubtful, this.#state.next))) doubtful = Infinity
      } else if (isWhole && firstOther === Infinity) return
    }
  }

  /** Takes in the records of slots, unless one was deleted meanwhile, and tells the first that is no owner's. */
  async #take(there: readonly number[]): Promise<{ readonly isWhole: boolean; readonly firstOther: number }> {
    let firstOther = Infinity
    for (let from = 0; from < there.length; from += AT_ONCE) {
      const some = there.slice(from, from + AT_ONCE)
      const records = await Promise.all(some.map((slot) => this.#record(slot)))
      for (const record of records) {
        if (!record) return { isWhole: false, firstOther }
        if (record.kind !== 'operations') firstOther = Math.min(firstOther, this.#state.next)
        this.#state.apply(record)
      }
    }
    return { isWhole: true, firstOther }
  }

  /**
   * Goes on from a checkpoint behind a slot: what follows it in the log was trimmed while this server did not look. `false`
   * where newer records may name one that is still there.
   */
  async #jump(listed: readonly number[], behind: number): Promise<boolean> {
    const { slots } = this.#options
    if (await this.#restore(this.#state.checkpoint, behind)) return true
    for (const slot of listed.toReversed()) {
      const record = await this.#record(slot)
      if (record && (await this.#restore(record.checkpoint, behind))) return true
    }
    const newer = await slots.slots(listed.at(-1) ?? behind, { signal: this.#closing.signal })
    if (newer.length > 0) return false
    throw new RowcastError(
      'log',
      `the log at ${slots.address} has nothing between slot ${behind} and the next that there is, and no checkpoint that goes so far: restore what is missing from a copy`,
    )
  }

  async #restore(checkpoint: number, behind: number): Promise<boolean> {
    if (checkpoint <= behind) return false
    const state = await this.#options.archive?.read(checkpoint, this.#closing.signal)
    if (state) this.#state = ShardState.restore(state)
    return state !== undefined
  }

  async #record(slot: number): Promise<ShardRecord | undefined> {
    const { slots } = this.#options
    const bytes = await slots.get(slot, { signal: this.#closing.signal })
    return bytes && decodeRecord(bytes, `slot ${slot} of the log at ${slots.address}`)
  }

  /** Claims, and what fills the slots before one, stay: whoever was frozen before them meets them. */
  async #deleteBefore(checkpoint: number): Promise<void> {
    const { slots } = this.#options
    const { signal } = this.#closing
    const end = Math.min(checkpoint, this.#state.next - NEVER_DELETED)
    const there = (await slots.slots(this.#deletedBefore - 1, { signal })).filter((slot) => slot < end)
    for (let from = 0; from < there.length; from += AT_ONCE) {
      const some = there.slice(from, from + AT_ONCE)
      const records = await Promise.all(some.map((slot) => this.#record(slot)))
      await slots.delete(
        some.filter((_, n) => records[n]?.kind === 'operations'),
        { signal },
      )
    }
    this.#deletedBefore = Math.max(this.#deletedBefore, end)
  }
}

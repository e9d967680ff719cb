import { setTimeout as delay } from 'node:timers/promises'
import { StoreClosedError } from '../../errors/index.ts'
import { LogMovedError, LogUncertainError } from '../log-errors.ts'
import { Serial } from '../serial.ts'
import { gather, type Decided, type Decision, type Waiting } from './gather.ts'
import type { ShardArchive } from './shard-archive.ts'
import { NEVER_TRIMMED, ShardReader } from './shard-reader.ts'
import {
  decodeRecord,
  encodeRecord,
  isOwners,
  type NodeInfo,
  type OwnersMark,
  type ShardRecord,
} from './shard-record.ts'
import type { Claim, DatabaseLog, Segment, ShardState } from './shard-state.ts'
import type { SlotLog } from './slot-log.ts'

export interface ShardOptions {
  readonly slots: SlotLog
  /** Where the tail goes once it is long; it stays where it is, and in memory, without. */
  readonly archive?: ShardArchive | undefined
  readonly node: NodeInfo
  /** The least time between two appends, in milliseconds; 0 if not given. */
  readonly commitEveryMs?: number | undefined
  /**
   * Whether it leaves the log to whichever server has claimed it: what is the owner's to do throws LogMovedError then,
   * where it otherwise becomes the owner.
   */
  readonly yields?: boolean | undefined
}

/** What an owner has known for longer it sees again before it tells anyone. */
export const SILENCE_MS = 1_000

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
  readonly #reader: ShardReader
  #pumping = false
  #archiving: Promise<void> | undefined
  #looking: Promise<void> | undefined
  /** The slot of the last append of which nobody knew: until another record is in it, it may still arrive. */
  #uncertain = 0
  /** Of the last append. */
  #appendedAt = -Infinity
  /** A moment at which this server was the owner, and had read all. */
  #provenAt = -Infinity
  #archivedAt = performance.now()

  constructor(options: ShardOptions) {
    this.#options = options
    this.#reader = new ShardReader(options.slots, options.archive, this.#closing.signal)
  }

  /** The owner, as of the last time that the log was read. */
  get claim(): Claim | undefined {
    return this.#state.claim
  }

  get isOwner(): boolean {
    return this.#state.claim?.node.id === this.#options.node.id
  }

  get yields(): boolean {
    return this.#options.yields === true
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

  /** Reads what others have appended, as far as is told, and settles what became of an append of which nobody knew. */
  look(): Promise<void> {
    // All who ask before it begins have the same.
    this.#looking ??= this.#run(async () => {
      this.#looking = undefined
      await this.#reader.read()
      if (this.#isUncertain && (this.isOwner || !this.yields)) await this.#own()
    })
    return this.#looking
  }

  /** Reads all that was appended before the call. Where only an append tells what there is, it is the owner's to do. */
  refresh(): Promise<void> {
    const { slots } = this.#options
    return slots.isCurrent && !this.yields ? this.look() : this.prove(0)
  }

  /** Sees that this server is the owner, and has read all, as of so many milliseconds ago at most. */
  async prove(withinMs: number): Promise<void> {
    const since = performance.now() - withinMs
    if (this.#isProven(since)) return
    await this.#run(async () => {
      while (!this.#isProven(since)) {
        await this.#own()
        await this.#isLatest()
      }
    })
  }

  /** Becomes the owner, whoever was it. */
  own(): Promise<void> {
    return this.#run(async () => void (await this.#claim(() => true)))
  }

  /** Becomes the owner in the place of one, or of none: whether it is. `false` where another one was faster. */
  claimAfter(former: Claim | undefined): Promise<boolean> {
    return this.#run(() => this.#claim((current) => current?.slot === former?.slot))
  }

  /** Gives the log up: whoever claims it first has it. */
  release(): Promise<void> {
    return this.#run(async () => {
      const { checkpoint } = this.#state
      await this.#put((mark) => ({ kind: 'release', ...mark, checkpoint }))
    })
  }

  /**
   * Appends operations as the owner, durable once it resolves. Rejects with what the decision throws; with LogUncertainError
   * where it is closed meanwhile.
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

  get #state(): ShardState {
    return this.#reader.state
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
      await this.#run(() => this.#reader.read())
      // Who has gone further meanwhile deletes what was written.
      if (this.#state.checkpoint === earlier) throw error
    })
    if (!written) return
    const isNamed = await this.#run(async () => {
      if (!(await this.#put((mark) => ({ kind: 'operations', ...mark, operations: [], checkpoint: written.next }))))
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
    await this.#trim(written.next)
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
      const { operations, decided } = gather(this.#waiting, this.#state.databases)
      taken = decided
      isUncertain = operations.length > 0
      const isLatest = isUncertain
        ? await this.#put((mark) => ({ kind: 'operations', ...mark, operations, checkpoint: this.#state.checkpoint }))
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

  /**
   * Whether nothing was appended since the log was read: an owner that was deposed would decide on what is no more. Where
   * only an append tells, one of nothing does.
   */
  async #isLatest(): Promise<boolean> {
    const { next, checkpoint } = this.#state
    if (!this.#options.slots.isCurrent)
      return (
        (await this.#put((mark) => ({ kind: 'operations', ...mark, operations: [], checkpoint }))) &&
        this.#state.next === next + 1
      )
    const askedAt = performance.now()
    await this.#reader.read()
    if (!this.isOwner || this.#state.next !== next) return false
    this.#provenAt = askedAt
    return true
  }

  #isProven(since: number): boolean {
    return this.isOwner && !this.#isUncertain && this.#provenAt >= since
  }

  async #rest(): Promise<void> {
    const leftMs = this.#appendedAt + (this.#options.commitEveryMs ?? 0) - performance.now()
    if (leftMs > 0) await delay(leftMs, undefined, { signal: this.#closing.signal })
  }

  /**
   * Appends a record as the owner: whether it is there; `false` where this server is the owner no more, or anew: another
   * one may have been it in between.
   */
  async #put(make: (mark: OwnersMark) => ShardRecord): Promise<boolean> {
    const { slots } = this.#options
    const { signal } = this.#closing
    const epoch = this.#epoch
    if (epoch === undefined) return false
    do {
      const { next, digest: behind } = this.#state
      const record = make({ epoch, behind })
      const bytes = encodeRecord(record)
      const askedAt = performance.now()
      this.#appendedAt = askedAt
      const isThere = await slots.put(next, bytes, { signal }).catch((error: unknown) => {
        this.#uncertain = next
        throw error
      })
      if (isThere) {
        this.#state.apply(record, bytes)
        this.#provenAt = askedAt
        return true
      }
      await this.#reader.read()
    } while (this.#epoch === epoch)
    return false
  }

  /** Of its own claim that is in force. */
  get #epoch(): number | undefined {
    return this.isOwner ? this.#state.claim?.slot : undefined
  }

  get #isUncertain(): boolean {
    return this.#state.next <= this.#uncertain
  }

  /** Throws LogMovedError where another server is the owner, and this one yields. */
  async #own(): Promise<void> {
    const { slots } = this.#options
    if (!(await this.#claim(() => !this.yields)))
      throw new LogMovedError(`log at ${slots.address}`, this.#state.claim?.node.url)
  }

  /**
   * Becomes the owner, whether it is, unless another one is that it may not follow. An owner of whose append nobody knows
   * claims anew: its claim lies in that slot then, or behind it.
   */
  async #claim(mayFollow: (current: Claim | undefined) => boolean): Promise<boolean> {
    const { slots, node } = this.#options
    const { signal } = this.#closing
    for (let attempt = 0; !this.isOwner || this.#isUncertain; attempt++) {
      await this.#reader.read()
      const { next, checkpoint, claim: current } = this.#state
      if (this.isOwner && !this.#isUncertain) break
      if (!this.isOwner && !mayFollow(current)) return false
      const claim = encodeRecord({ kind: 'claim', node, checkpoint })
      const filler = (): Uint8Array => encodeRecord({ kind: 'gap', checkpoint })
      await slots.claim({ next, claim, filler, attempt }, { signal })
    }
    return true
  }

  /** Claims, and what fills the slots before one, stay where slots are written again: whoever was frozen before them meets them. */
  async #trim(checkpoint: number): Promise<void> {
    const { slots } = this.#options
    const isKept = (bytes: Uint8Array, slot: number): boolean =>
      !isOwners(decodeRecord(bytes, `slot ${slot} of the log at ${slots.address}`))
    const { signal } = this.#closing
    await slots.trim(Math.min(checkpoint, this.#state.next - NEVER_TRIMMED), isKept, { signal })
  }
}

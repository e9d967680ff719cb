import { digestOf } from '../digest.ts'
import { chainDigest } from './sealed.ts'
import type { NodeInfo, Operation, ShardRecord } from './shard-record.ts'

/** Entries of one database that have left the tail for an object of the bucket. */
export interface Segment {
  readonly key: string
  readonly first: number
  readonly last: number
  /** Of its payloads as UTF-8. */
  readonly bytes: number
}

/** The log of one database. */
export interface DatabaseLog {
  /** Another one where it was deleted and made again. */
  readonly id: string
  /** The last entry that was trimmed away, or that it began after. */
  origin: number
  last: number
  /** The last entry, or its digest where it is in a segment; neither where it was trimmed away. */
  lastPayload?: string | undefined
  digest?: string | undefined
  /** Oldest first; the first may begin before the origin. */
  segments: readonly Segment[]
  /** The payloads of the entries behind the segments, up to the last; those before the origin are not kept. */
  tail: string[]
}

/** The owner, by the claim that is in force. */
export interface Claim {
  /** The epoch: the slot that the claim lies in. */
  readonly slot: number
  readonly node: NodeInfo
}

/** What a checkpoint holds: the state of a shard before a slot, but for what is in segments. */
export interface CheckpointState {
  readonly next: number
  /** Of all records before that slot. */
  readonly digest: string
  readonly claim: Claim | undefined
  readonly databases: readonly (readonly [name: string, log: Omit<DatabaseLog, 'tail' | 'lastPayload'>])[]
}

/** A state at a slot, with the tails. */
export interface StateCopy extends Pick<CheckpointState, 'next' | 'digest' | 'claim'> {
  readonly databases: readonly (readonly [name: string, log: DatabaseLog])[]
}

/** The digest of the history of a log, as far as it tells. */
export function lastDigest({ lastPayload, digest }: Pick<DatabaseLog, 'lastPayload' | 'digest'>): string | undefined {
  return lastPayload === undefined ? digest : digestOf(lastPayload)
}

/** What the records of a shard come to, in the order of their slots. */
export class ShardState {
  /** The first slot that is not in it. */
  next = 1
  /** Of all records in it. */
  digest = ''
  claim: Claim | undefined
  /** The newest checkpoint that its records name. */
  checkpoint = 0
  /** Bytes of payloads that are in no segment. */
  tailBytes = 0
  /** The keys of segments that nobody needs any more. */
  readonly dropped: string[] = []
  readonly databases: Map<string, DatabaseLog> = new Map()

  static restore({ next, digest, claim, databases }: CheckpointState): ShardState {
    const state = new ShardState()
    state.next = next
    state.digest = digest
    state.claim = claim
    state.checkpoint = next
    for (const [name, log] of databases) state.databases.set(name, { ...log, tail: [] })
    return state
  }

  /** Whether a record was written behind the records that are in it, as far as it tells. */
  fits(record: ShardRecord): boolean {
    return !('behind' in record) || record.behind === this.digest
  }

  /** Takes in the record of the slot that is next, from its bytes. One of an owner that was deposed before it does nothing. */
  apply(record: ShardRecord, bytes: Uint8Array): void {
    const slot = this.next++
    this.digest = chainDigest(this.digest, bytes)
    this.checkpoint = Math.max(this.checkpoint, record.checkpoint)
    if (record.kind === 'claim') this.claim = { slot, node: record.node }
    else if (record.kind === 'gap' || record.epoch !== this.claim?.slot) return
    else if (record.kind === 'release') this.claim = undefined
    else for (const operation of record.operations) this.#do(operation)
  }

  /** All of it as of now, for who puts the tails into segments. */
  copy(): StateCopy {
    const databases: [string, DatabaseLog][] = []
    for (const [name, log] of this.databases) databases.push([name, { ...log, tail: [...log.tail] }])
    return { next: this.next, digest: this.digest, claim: this.claim, databases }
  }

  /** Forgets the payloads that are in segments by now. */
  archived(written: CheckpointState): void {
    this.tailBytes = 0
    const kept = new Map(written.databases)
    for (const [name, log] of this.databases) {
      const there = kept.get(name)
      if (there?.id === log.id) {
        log.segments = there.segments
        this.#drop(log, log.origin)
        log.tail = log.tail.slice(Math.max(0, log.tail.length - (log.last - there.last)))
      }
      for (const payload of log.tail) this.tailBytes += Buffer.byteLength(payload)
    }
  }

  #do(operation: Operation): void {
    const { database } = operation
    const log = this.databases.get(database)
    if (operation.do === 'open') {
      const { id, start } = operation
      if (!log) this.databases.set(database, { id, origin: start, last: start, segments: [], tail: [] })
    } else if (!log) return
    else if (operation.do === 'delete') {
      this.#drop(log, log.last)
      this.databases.delete(database)
    } else if (operation.do === 'trim') {
      log.origin = Math.max(log.origin, Math.min(operation.before - 1, log.last))
      if (log.origin === log.last) log.lastPayload = log.digest = undefined
      this.#drop(log, log.origin)
      log.tail = log.tail.slice(Math.max(0, log.tail.length - (log.last - log.origin)))
    } else if (operation.sequence === log.last + 1) {
      log.last += 1
      log.lastPayload = operation.payload
      log.tail.push(operation.payload)
      this.tailBytes += Buffer.byteLength(operation.payload)
    }
  }

  /** The segments up to an entry go. */
  #drop(log: DatabaseLog, upTo: number): void {
    for (const { key, last } of log.segments) if (last <= upTo) this.dropped.push(key)
    log.segments = log.segments.filter(({ last }) => last > upTo)
  }
}

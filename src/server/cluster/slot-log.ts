/** Of someone who waits for the log. */
export interface SlotOptions {
  /** Ends the waiting. Of a `put` nobody knows then whether it took effect. */
  readonly signal?: AbortSignal | undefined
}

/** A claim that is to be in the log although somebody goes on writing. */
export interface ClaimAttempt {
  /** The first slot that is empty, as far as the caller knows. */
  readonly next: number
  readonly claim: Uint8Array
  /** Makes records that mean nothing, for slots that are left out. No two have the same bytes. */
  readonly filler: () => Uint8Array
  /** How often it was tried before. */
  readonly attempt: number
}

/**
 * What a shard's log lies on: records in numbered slots, from 1. A slot is written once, by exactly one of those who try:
 * the compare-and-set that everything else rests on. One contract, which one suite tests.
 *
 * Where a slot that was deleted may be written again nothing tells: who deletes sees to it that nobody takes one for new.
 */
export interface SlotLog {
  /** Its address, for messages. */
  readonly address: string
  /**
   * Whether `slots` tells all that was written before it was called. Where it doesn't, only an append proves that nothing
   * is behind a slot.
   */
  readonly isCurrent: boolean
  /**
   * Writes a record into the first slot that is empty: `true` once it is there, `false` where another one is. Resolves only
   * when it is known: where it rejects, the record may still arrive, until another one is in the slot.
   * No two records have the same bytes.
   */
  put(slot: number, bytes: Uint8Array, options?: SlotOptions): Promise<boolean>
  /** Tries to get a claim into the log. It counts once it is read: one that another has overtaken is not there, or not in force. */
  claim(attempt: ClaimAttempt, options?: SlotOptions): Promise<void>
  /** The record of a slot; `undefined` where there is none. */
  get(slot: number, options?: SlotOptions): Promise<Uint8Array | undefined>
  /** The slots behind one that have a record, in order. */
  slots(after: number, options?: SlotOptions): Promise<readonly number[]>
  /** Deletes the records before a slot; where one that was deleted may be written again, not those that are to be kept. */
  trim(before: number, isKept: (bytes: Uint8Array, slot: number) => boolean, options?: SlotOptions): Promise<void>
  close?(): Promise<void>
}

/** Where the logs of all shards of a cluster lie. `cluster` names it, and no other one. */
export interface SlotLogs {
  /** What it is called where all servers of a cluster have to have the same. */
  readonly kind: string
  /** Sees whether it will do. Throws RowcastError. */
  ready?(cluster: string): Promise<void>
  open(shard: number, cluster: string): SlotLog
  close?(): Promise<void>
}

/** What the keys of a shard in a bucket begin with. */
export function shardPrefix(shard: number): string {
  return `shards/${String(shard).padStart(4, '0')}/`
}

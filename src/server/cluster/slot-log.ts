/** Of someone who waits for the log. */
export interface SlotOptions {
  /** Ends the waiting. Of a `put` nobody knows then whether it took effect. */
  readonly signal?: AbortSignal | undefined
}

/**
 * What a shard's log lies on: records in numbered slots, from 1. A slot is written once, by exactly one of those who try:
 * the compare-and-set that everything else rests on. One contract, which one suite tests.
 *
 * A slot that was deleted may be written again, and nothing tells: who deletes sees to it that nobody takes one for new.
 */
export interface SlotLog {
  /** Its address, for messages. */
  readonly address: string
  /**
   * Writes a record into a slot: `true` once it is there, `false` where another one is. Resolves only when it is known:
   * where it rejects, the record may still arrive, until another one is in the slot.
   * No two records have the same bytes.
   */
  put(slot: number, bytes: Uint8Array, options?: SlotOptions): Promise<boolean>
  /** The record of a slot; `undefined` where there is none. */
  get(slot: number, options?: SlotOptions): Promise<Uint8Array | undefined>
  /** The slots behind one that have a record, in order. All that was written before the call is among them. */
  slots(after: number, options?: SlotOptions): Promise<readonly number[]>
  /** Deletes the records of slots. */
  delete(slots: readonly number[], options?: SlotOptions): Promise<void>
}

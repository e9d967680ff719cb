import { sortableNumber, type ObjectStore } from '../bucket/index.ts'
import type { SlotLog, SlotOptions } from './slot-log.ts'

/** Slots as objects of a bucket, named by their numbers and written with `If-None-Match: *`. */
export class BucketSlotLog implements SlotLog {
  readonly address: string
  readonly #store: ObjectStore
  readonly #prefix: string

  /** @param prefix of the keys, with a slash at its end */
  constructor(store: ObjectStore, prefix: string) {
    this.address = store.address + prefix
    this.#store = store
    this.#prefix = prefix
  }

  put(slot: number, bytes: Uint8Array, options: SlotOptions = {}): Promise<boolean> {
    return this.#store.create(this.#key(slot), bytes, options)
  }

  get(slot: number, options: SlotOptions = {}): Promise<Uint8Array | undefined> {
    return this.#store.get(this.#key(slot), options)
  }

  async slots(after: number, options: SlotOptions = {}): Promise<readonly number[]> {
    const slots: number[] = []
    for await (const { key } of this.#store.list(this.#prefix, { ...options, after: this.#key(after) })) {
      const digits = key.slice(this.#prefix.length)
      // What others have put there is no slot.
      if (/^\d{16}$/.test(digits)) slots.push(Number(digits))
    }
    return slots
  }

  delete(slots: readonly number[], options: SlotOptions = {}): Promise<void> {
    return this.#store.delete(
      slots.map((slot) => this.#key(slot)),
      options,
    )
  }

  #key(slot: number): string {
    return this.#prefix + sortableNumber(slot)
  }
}

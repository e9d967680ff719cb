import { sortableNumber, type ObjectStore } from '../bucket/index.ts'
import type { ClaimAttempt, SlotLog, SlotOptions } from './slot-log.ts'

/** Slots between the end of the log and a claim against an owner that goes on writing. */
const AHEAD = 8
/** Records that are read and deleted at once. */
const AT_ONCE = 32

/** Slots as objects of a bucket, named by their numbers and written with `If-None-Match: *`. */
export class BucketSlotLog implements SlotLog {
  readonly address: string
  readonly isCurrent = true
  readonly #store: ObjectStore
  readonly #prefix: string
  /** The slots before it are deleted, but for those that are kept. */
  #trimmedBefore = 1

  /** @param prefix of the keys, with a slash at its end */
  constructor(store: ObjectStore, prefix: string) {
    this.address = store.address + prefix
    this.#store = store
    this.#prefix = prefix
  }

  put(slot: number, bytes: Uint8Array, options: SlotOptions = {}): Promise<boolean> {
    return this.#store.create(this.#key(slot), bytes, options)
  }

  /** At the end of the log first. Against an owner that goes on writing ahead of it, and the slots before are filled. */
  async claim({ next, claim, filler, attempt }: ClaimAttempt, options: SlotOptions = {}): Promise<void> {
    const at = next + (attempt % 2 === 0 ? 0 : AHEAD)
    if (!(await this.put(at, claim, options))) return
    await Promise.all(Array.from({ length: at - next }, (_, n) => this.put(next + n, filler(), options)))
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

  async trim(
    before: number,
    isKept: (bytes: Uint8Array, slot: number) => boolean,
    options: SlotOptions = {},
  ): Promise<void> {
    const there = (await this.slots(this.#trimmedBefore - 1, options)).filter((slot) => slot < before)
    for (let from = 0; from < there.length; from += AT_ONCE) {
      const some = there.slice(from, from + AT_ONCE)
      const records = await Promise.all(some.map((slot) => this.get(slot, options)))
      const gone = some.filter((slot, n) => records[n] && !isKept(records[n], slot))
      await this.#store.delete(
        gone.map((slot) => this.#key(slot)),
        options,
      )
    }
    this.#trimmedBefore = Math.max(this.#trimmedBefore, before)
  }

  #key(slot: number): string {
    return this.#prefix + sortableNumber(slot)
  }
}

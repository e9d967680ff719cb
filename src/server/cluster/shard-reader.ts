import { RowcastError } from '../../errors/index.ts'
import type { ShardArchive } from './shard-archive.ts'
import { decodeRecord, isOwners, type ShardRecord } from './shard-record.ts'
import { ShardState } from './shard-state.ts'
import type { SlotLog } from './slot-log.ts'

/**
 * So many slots at the end are never trimmed: a gap before them was trimmed, one within them is before a claim that was put
 * ahead. Claims are put ahead by less.
 */
export const NEVER_TRIMMED = 64
/** Records that are read at once. */
const AT_ONCE = 32

/** What became of records that were to be taken in. */
interface Taken {
  /** None of them was deleted. */
  readonly isWhole: boolean
  /** The next was written behind others. */
  readonly isParted: boolean
  /** The slot of the first that is no owner's. */
  readonly firstOther: number
}

/** What one server knows of a shard's log: the state that its records come to, as far as it was read. */
export class ShardReader {
  readonly #slots: SlotLog
  readonly #archive: ShardArchive | undefined
  readonly #signal: AbortSignal
  #state = new ShardState()

  constructor(slots: SlotLog, archive: ShardArchive | undefined, signal: AbortSignal) {
    this.#slots = slots
    this.#archive = archive
    this.#signal = signal
  }

  /** Another object where it was gone on from a checkpoint. */
  get state(): ShardState {
    return this.#state
  }

  /**
   * Takes in all records up to the first slot that is empty. A claim, or what fills the slots before one, may have arrived
   * late, in a slot that was trimmed: where the log has a checkpoint behind one that was just read, that is gone on from.
   * Whoever trimmed had named it in the log before, so that one who lists after reading such a record knows.
   *
   * Throws RowcastError (`log`) at a record that its owner wrote behind others than were read, and no checkpoint goes further:
   * records were lost, or others were told in their place. All is read again the next time.
   */
  async read(): Promise<void> {
    for (let doubtful = Infinity; ;) {
      const from = this.#state.next
      const listed = await this.#slots.slots(from - 1, { signal: this.#signal })
      const run = listed.findIndex((slot, n) => slot !== from + n)
      const there = run === -1 ? listed : listed.slice(0, run)
      const { isWhole, isParted, firstOther } = await this.#take(there)
      doubtful = Math.min(doubtful, firstOther)
      if (isParted) {
        await this.#goAround()
        doubtful = Infinity
        continue
      }
      const isTrimmed = isWhole && (listed.at(-1) ?? 0) >= this.#state.next + NEVER_TRIMMED
      if (doubtful < this.#state.checkpoint || isTrimmed) {
        if (await this.#jump(listed, Math.min(doubtful, this.#state.next))) doubtful = Infinity
      } else if (isWhole && firstOther === Infinity) return
    }
  }

  /** Takes in the records of slots, up to one that was deleted meanwhile, or that was written behind others. */
  async #take(there: readonly number[]): Promise<Taken> {
    let firstOther = Infinity
    for (let from = 0; from < there.length; from += AT_ONCE) {
      const some = there.slice(from, from + AT_ONCE)
      const records = await Promise.all(some.map((slot) => this.#record(slot)))
      for (const record of records) {
        if (!record) return { isWhole: false, isParted: false, firstOther }
        const [told, bytes] = record
        if (!this.#state.fits(told)) return { isWhole: false, isParted: true, firstOther }
        if (!isOwners(told)) firstOther = Math.min(firstOther, this.#state.next)
        this.#state.apply(told, bytes)
      }
    }
    return { isWhole: true, isParted: false, firstOther }
  }

  /** Goes on from a checkpoint behind a record that does not fit; what was read before it may be what does not. */
  async #goAround(): Promise<void> {
    const { next } = this.#state
    const listed = await this.#slots.slots(next, { signal: this.#signal })
    if (await this.#restoreBehind(next, listed.slice(-NEVER_TRIMMED))) return
    this.#state = new ShardState()
    throw new RowcastError(
      'log',
      `slot ${next} of the log at ${this.#slots.address} was written behind other records than there are: what holds it has lost some that were acknowledged, or tells others in their place; it is read again, and if that doesn't help, restore it from a copy`,
    )
  }

  /**
   * Goes on from a checkpoint behind a slot: what follows it in the log was trimmed while this server did not look. `false`
   * where newer records may name one that is still there.
   */
  async #jump(listed: readonly number[], behind: number): Promise<boolean> {
    if (await this.#restoreBehind(behind, listed)) return true
    const newer = await this.#slots.slots(listed.at(-1) ?? behind, { signal: this.#signal })
    if (newer.length > 0) return false
    throw new RowcastError(
      'log',
      `the log at ${this.#slots.address} has nothing between slot ${behind} and the next that there is, and no checkpoint that goes so far: restore what is missing from a copy`,
    )
  }

  /** From the newest checkpoint, as far as what was read and the records of slots tell. */
  async #restoreBehind(behind: number, listed: readonly number[]): Promise<boolean> {
    if (await this.#restore(this.#state.checkpoint, behind)) return true
    for (const slot of listed.toReversed()) {
      const record = await this.#record(slot)
      if (record && (await this.#restore(record[0].checkpoint, behind))) return true
    }
    return false
  }

  async #restore(checkpoint: number, behind: number): Promise<boolean> {
    if (checkpoint <= behind) return false
    const state = await this.#archive?.read(checkpoint, this.#signal)
    if (state) this.#state = ShardState.restore(state)
    return state !== undefined
  }

  async #record(slot: number): Promise<readonly [ShardRecord, Uint8Array] | undefined> {
    const bytes = await this.#slots.get(slot, { signal: this.#signal })
    return bytes && [decodeRecord(bytes, `slot ${slot} of the log at ${this.#slots.address}`), bytes]
  }
}

import type { Key, KeyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import type { RowObject } from '../../schema/index.ts'

/** An entry, its row's object without the values, and its places in two maps. */
export const ENTRY_BYTES = 300
const VALUE_BYTES = 16
const LARGE = 2_000

/** The row that an object is part of, for as long as anybody holds the object. */
const wholes = new WeakMap<object, RowObject>()

/** What the store knows of a row that was read: its place in SQLite and its object. */
export class CachedRow {
  readonly key: Key
  readonly id: KeyId
  readonly rowid: number
  /** `undefined` when it must be read again; `previous` then lends its unchanged parts. */
  row: RowObject | undefined
  previous: RowObject | undefined
  /** What has changed in `previous` since, the last value of a column: a row may go unread for a whole drag. */
  patches: readonly (readonly [number, SqlValue])[] | undefined
  /** What it takes while it is held, about. */
  bytes: number = ENTRY_BYTES
  /** Whether it was asked for since it was looked at last by who looks for what can go. */
  used = true
  #weak: WeakRef<RowObject> | undefined
  #was: 'row' | 'previous' = 'row'

  constructor(key: Key, id: KeyId, rowid: number, row?: RowObject, previous?: RowObject) {
    this.key = key
    this.id = id
    this.rowid = rowid
    this.row = row
    this.previous = previous
  }

  /** The object that somebody may hold. */
  get object(): RowObject | undefined {
    return this.row ?? this.previous
  }

  /** Whether the object that was let go of is no more. */
  get gone(): boolean {
    return this.#weak?.deref() === undefined
  }

  /**
   * Lets go of its object, which from now on is there as long as somebody else holds it, or an object in it. Returns
   * whether it is the first time with this one.
   */
  fade(object: RowObject): boolean {
    const isNew = this.#weak?.deref() !== object
    if (isNew) {
      for (const name in object) noteWhole(object[name], object)
      this.#weak = new WeakRef(object)
    }
    this.#was = this.row ? 'row' : 'previous'
    this.row = undefined
    this.previous = undefined
    return isNew
  }

  /** Holds its object again, if that is still there; otherwise it must be read again. */
  regain(): void {
    this[this.#was] = this.#weak!.deref()
    if (!this.object) this.patches = undefined
  }
}

/** What a row takes in memory, about, by its stored values. */
export function bytesOfRow(stored: readonly SqlValue[]): number {
  let bytes = ENTRY_BYTES + stored.length * VALUE_BYTES
  for (const value of stored) {
    if (typeof value === 'string') bytes += 2 * value.length
    else if (value instanceof Uint8Array) bytes += value.length
  }
  return bytes
}

/** Whether a value makes a difference to what its row takes, by its own size or by that of what it may have replaced. */
export function isLarge(value: SqlValue, rowBytes: number): boolean {
  if (typeof value === 'number' || typeof value === 'bigint') return false
  return (value !== null && value.length > LARGE) || rowBytes > LARGE
}

function noteWhole(part: unknown, whole: RowObject): void {
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return
  wholes.set(part, whole)
  for (const inner of Object.values(part)) noteWhole(inner, whole)
}

import type { KeyId } from '../../changes/index.ts'
import type { RowObject } from '../../schema/index.ts'
import type { TableQuery } from './table-query.ts'

/** Told which rows a window holds. */
export interface RowHolder {
  hold(id: KeyId): void
  letGo(id: KeyId): void
}

/**
 * The first rows of a query's result, in order: all of them, or as many as the limit needs and some to spare, so that a
 * row that leaves is followed by the next without asking SQLite.
 *
 * Invariant: these are exactly the first `length` rows that match; unless `complete`, there may be more behind them.
 */
export class SortedWindow {
  readonly #query: TableQuery
  readonly #needed: number
  readonly #spare: number
  readonly #holder: RowHolder | undefined
  #rows: RowObject[] = []
  readonly #byId = new Map<KeyId, RowObject>()
  #complete = true

  /**
   * @param holder told which rows come and go
   * @param spare how many rows behind the limit to keep
   */
  constructor(query: TableQuery, holder?: RowHolder, spare: number = Math.min(Math.max(query.limit ?? 0, 20), 500)) {
    this.#holder = holder
    this.#query = query
    this.#needed = query.limit === undefined ? Infinity : query.offset + query.limit
    this.#spare = spare
  }

  get length(): number {
    return this.#rows.length
  }

  /** Whether rows have been lost that SQLite must be asked for. */
  get short(): boolean {
    return !this.#complete && this.#rows.length < this.#needed
  }

  /** Reads the rows from SQLite. */
  fill(): void {
    const limit = this.#needed === Infinity ? undefined : this.#needed + this.#spare
    const rows = this.#query.select(limit, 0)
    this.#complete = limit === undefined || rows.length < limit
    this.clear()
    for (const row of rows) this.#put(this.#query.idOf(row), row)
    this.#rows = rows
  }

  /** Lets go of all rows. */
  clear(): void {
    if (this.#holder) for (const id of this.#byId.keys()) this.#holder.letGo(id)
    this.#byId.clear()
    this.#rows = []
  }

  has(id: KeyId): boolean {
    return this.#byId.has(id)
  }

  /** Whether a row comes after all that is known. */
  isBeyond(row: RowObject): boolean {
    const last = this.#rows.at(-1)
    return !this.#complete && (!last || this.#query.compare(last, row) < 0)
  }

  /** The result: a new array. */
  visible(): readonly RowObject[] {
    const { offset } = this.#query
    return this.#needed === Infinity && offset === 0 ? this.#rows.slice() : this.#rows.slice(offset, this.#needed)
  }

  /** Brings one row up to date; `row` is `undefined` where it doesn't match (any more). Tells whether anything changed. */
  set(id: KeyId, row: RowObject | undefined): boolean {
    const known = this.#byId.get(id)
    if (known === row) return false
    if (known) {
      const from = this.#placeOf(known)
      if (row && this.#fitsAt(from, row)) {
        this.#rows[from] = row
        this.#byId.set(id, row)
        return true
      }
      this.#rows.splice(from, 1)
      this.#drop(id)
    }
    if (!row) return true
    const to = this.#placeOf(row)
    // Behind the last known row there may be others before it.
    if (to === this.#rows.length && !this.#complete) return known !== undefined
    this.#rows.splice(to, 0, row)
    this.#put(id, row)
    this.#trim()
    return true
  }

  /** Takes in rows that are not there yet, where all rows are kept. */
  merge(rows: readonly RowObject[]): void {
    const { compare } = this.#query
    const merged: RowObject[] = []
    let at = 0
    for (const row of rows.toSorted(compare)) {
      while (at < this.#rows.length && compare(this.#rows[at]!, row) < 0) merged.push(this.#rows[at++]!)
      merged.push(row)
      this.#put(this.#query.idOf(row), row)
    }
    while (at < this.#rows.length) merged.push(this.#rows[at++]!)
    this.#rows = merged
  }

  #fitsAt(at: number, row: RowObject): boolean {
    const { compare } = this.#query
    const previous = this.#rows[at - 1]
    const next = this.#rows[at + 1]
    return (!previous || compare(previous, row) < 0) && (next ? compare(row, next) < 0 : this.#complete)
  }

  /** The position of the first row that does not come before this one. */
  #placeOf(row: RowObject): number {
    const { compare } = this.#query
    let low = 0
    let high = this.#rows.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compare(this.#rows[middle]!, row) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #trim(): void {
    if (this.#rows.length <= this.#needed + 2 * this.#spare) return
    for (const row of this.#rows.splice(this.#needed + this.#spare)) this.#drop(this.#query.idOf(row))
    this.#complete = false
  }

  #put(id: KeyId, row: RowObject): void {
    this.#byId.set(id, row)
    this.#holder?.hold(id)
  }

  #drop(id: KeyId): void {
    this.#byId.delete(id)
    this.#holder?.letGo(id)
  }
}

import type { SqlValue } from '../../drivers/index.ts'

/** The stored cells of one row, by column index. What is not among them is NULL. */
export class StoredCells {
  #columns: number[] = []
  readonly #values: SqlValue[] = []
  #shared = false

  /** The columns, in the order in which they were set. */
  get columns(): readonly number[] {
    return this.#columns
  }

  /** The values, in the order of the columns. */
  get values(): readonly SqlValue[] {
    return this.#values
  }

  /** The value of a column; `undefined` where it is not set, which stands for NULL. */
  get(column: number): SqlValue | undefined {
    const at = this.#columns.indexOf(column)
    return at < 0 ? undefined : this.#values[at]!
  }

  /** Sets a column, in place of what it had. */
  set(column: number, value: SqlValue): void {
    const at = this.#columns.indexOf(column)
    if (at >= 0) {
      this.#values[at] = value
      return
    }
    if (this.#shared) this.#columns = this.#columns.slice()
    this.#shared = false
    this.#columns.push(column)
    this.#values.push(value)
  }

  /** The same, to be changed by itself. */
  copy(): StoredCells {
    const copy = new StoredCells()
    for (const [n, column] of this.#columns.entries()) copy.set(column, this.#values[n]!)
    return copy
  }

  /**
   * Whether these are the columns of another row, in the same order. Then both keep one list of them: of an import all
   * rows are kept for its undo.
   */
  sharesColumns(other: StoredCells): boolean {
    const mine = this.#columns
    const theirs = other.#columns
    if (mine === theirs) return true
    if (mine.length !== theirs.length) return false
    for (let at = 0; at < mine.length; at++) if (mine[at] !== theirs[at]) return false
    this.#columns = theirs
    this.#shared = true
    other.#shared = true
    return true
  }
}

import type { SqliteDriver, SqliteStatement } from '../../drivers/index.ts'
import { quoteName, type Column, type StoredCells, type TableModel } from '../../schema/index.ts'

/** How many statements are kept prepared. */
const MAX_KEPT = 1_000

/** The statements that insert rows of a table and set their columns, kept by these columns. */
export class WriteStatements {
  readonly #driver: SqliteDriver
  readonly #model: TableModel
  /** The base table, quoted. */
  readonly #base: string
  readonly #kept = new Map<string | number, SqliteStatement>()
  #last: { readonly cells: StoredCells; readonly count: number; readonly statement: SqliteStatement } | undefined

  constructor(driver: SqliteDriver, model: TableModel) {
    this.#driver = driver
    this.#model = model
    this.#base = quoteName(model.base)
  }

  /** The statement that sets columns of a row by its rowid, the last parameter. */
  update(...columns: readonly Column[]): SqliteStatement {
    const id = columns.length === 1 ? columns[0]!.index : `u ${columns.map(({ index }) => index).join(' ')}`
    return (
      this.#kept.get(id) ??
      this.#keep(
        id,
        `UPDATE ${this.#base} SET ${columns.map((column) => `${quoteName(column.name)} = ?`).join(', ')} WHERE rowid = ?`,
      )
    )
  }

  /** The statement that inserts so many rows of which these columns are given. */
  insert(cells: StoredCells, count = 1): SqliteStatement {
    // Rows of one import mostly look alike.
    const last = this.#last
    if (last && last.count === count && cells.sharesColumns(last.cells)) return last.statement
    const statement = this.#insert(cells.columns, count)
    this.#last = { cells, count, statement }
    return statement
  }

  finalize(): void {
    for (const statement of this.#kept.values()) statement.finalize()
    this.#kept.clear()
    this.#last = undefined
  }

  #insert(columns: readonly number[], count: number): SqliteStatement {
    const id = `i${count} ${columns.join(' ')}`
    const known = this.#kept.get(id)
    if (known) return known
    const names = columns.map((column) => quoteName(this.#model.columns[column]!.name))
    const row = `(${names.map(() => '?').join(', ')})`
    const values = new Array<string>(count).fill(row).join(', ')
    return this.#keep(id, `INSERT INTO ${this.#base} (${names.join(', ')}) VALUES ${values}`)
  }

  #keep(id: string | number, sql: string): SqliteStatement {
    if (this.#kept.size >= MAX_KEPT) this.finalize()
    const statement = this.#driver.prepare(sql)
    this.#kept.set(id, statement)
    return statement
  }
}

import type { Key } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { createIndexSql, quoteName, type Column, type StoredCells } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import { insertRows } from './insert-rows.ts'
import { parkedIn } from './parked-value.ts'
import { refusingIndex } from './refusing-index.ts'
import type { TableRows } from './table-rows.ts'
import { updateCells } from './update-cells.ts'

/** Values by column. */
type Values = Map<Column, SqlValue>

/**
 * Writes rows of one call, of which only the state after it counts for unique constraints: rows may pass their values on.
 * SQLite judges row by row; where it refuses, a value of nobody's takes the place of the row's own, which comes late: at
 * the call's end. Nobody sees what is parked.
 */
export class LateValues {
  readonly #engine: Engine
  readonly #rows: TableRows
  readonly #late = new Map<number, Values>()
  #parked = 0
  #isLifted = false

  constructor(engine: Engine, rows: TableRows) {
    this.#engine = engine
    this.#rows = rows
  }

  /** Whether values of a row are still to come. */
  has(rowid: number): boolean {
    return this.#late.has(rowid)
  }

  /** Sets columns of a row. */
  update(rowid: number, cells: readonly (readonly [Column, SqlValue])[]): void {
    const statement = this.#rows.writes.update(...cells.map(([column]) => column))
    const parked = this.#place(
      (column) => cells.some(([one]) => one === column),
      (values) => statement.run([...cells.map(([column, value]) => values.get(column) ?? value), rowid]),
    )
    if (parked.size + this.#late.size === 0) return
    const late: Values = this.#late.get(rowid) ?? new Map<Column, SqlValue>()
    for (const [column, value] of cells)
      if (parked.has(column)) late.set(column, value)
      else late.delete(column)
    if (late.size > 0) this.#late.set(rowid, late)
    else this.#late.delete(rowid)
  }

  /** Inserts a row and tells its key. */
  insert(cells: StoredCells): Key {
    let key: Key
    const parked = this.#place(
      (column) => !this.#rows.schema.model.key.includes(column),
      (values) => {
        const placed = values.size === 0 ? cells : cells.copy()
        for (const [column, value] of values) placed.set(column.index, value)
        key = insertRows(this.#engine, this.#rows, [placed])[0]!
      },
    )
    if (parked.size > 0)
      this.#late.set(
        this.#rows.rowidOf(key!)!,
        new Map([...parked.keys()].map((column) => [column, cells.get(column.index) ?? null])),
      )
    return key!
  }

  /** Runs the caller's code: before it looks at anything, all is in its place. */
  during<Result>(run: () => Result): Result {
    const { beforeUse } = this.#engine
    this.#engine.beforeUse = () => this.show()
    try {
      return run()
    } finally {
      this.#engine.beforeUse = beforeUse
    }
  }

  /** Puts everything in its place in the midst of the call: without the indexes, which are made anew at its end. */
  show(): void {
    if (this.#late.size === 0) return
    for (const { name } of this.#rows.schema.model.unique) this.#engine.driver.exec(`DROP INDEX ${quoteName(name)}`)
    this.#isLifted = true
    this.#settle()
  }

  /** The call has ended. Throws what SQLite throws if two rows have the same now. */
  end(): void {
    this.#settle()
    const { model } = this.#rows.schema
    if (this.#isLifted) for (const index of model.unique) this.#engine.driver.exec(createIndexSql(model, index))
  }

  #settle(): void {
    for (const [rowid, late] of this.#late)
      updateCells(this.#engine, this.#rows, rowid, [...late.keys()], [...late.values()])
    this.#late.clear()
  }

  /** Writes, and tells what had to be parked for it. */
  #place(canPark: (column: Column) => boolean, write: (parked: Values) => void): Values {
    const parked: Values = new Map()
    for (;;) {
      const { mark } = this.#engine
      try {
        write(parked)
        return parked
      } catch (error) {
        const refusing = refusingIndex(this.#engine, error)
        const canStill = (column: Column): boolean => canPark(column) && !parked.has(column)
        const found = refusing && parkedIn(refusing.index, canStill, ++this.#parked)
        if (!found) throw error
        this.#engine.forgetSince(mark)
        parked.set(...found)
      }
    }
  }
}

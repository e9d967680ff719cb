import type { Key } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { quoteName } from '../../schema/index.ts'
import { compareStored, type CellChange } from './cells.ts'
import type { CellId } from './cell-id.ts'
import type { TableRows } from './table-rows.ts'

/** Every row of a table with its stored cells, in no order, read one by one and not kept. */
export function* rowsOf(
  rows: TableRows,
): Generator<{ readonly key: Key; readonly cells: ReadonlyMap<CellId, CellChange> }> {
  const { model } = rows.schema
  const columns = model.columns.map((column) => quoteName(column.name)).join(', ')
  for (const stored of rows.statement(`SELECT ${columns} FROM ${rows.base}`).iterate())
    yield { key: rows.keyOf(stored), cells: compareStored(model, undefined, stored) }
}

/** A row as it was read, and not kept. */
export interface ReadRow {
  readonly key: Key
  readonly stored: readonly SqlValue[]
}

/** Which rows are read: those that a condition on the base table holds for. */
export interface RowCondition {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
}

/** Rows that are looked at in one step where no index serves, and that are read in one where it does. */
const FEW = 64
const MANY = 4_096
/** A step that took longer, or less, than this is made shorter, or longer. */
const LONG_MS = 4
const SHORT_MS = 1

/**
 * Reads the rows of a table in steps, each of a few milliseconds, between which the table may change: what is inserted,
 * changed or deleted meanwhile may be among them or not. Without a condition every row.
 */
export class RowScan {
  readonly #rows: TableRows
  readonly #sql: string
  readonly #parameters: readonly SqlValue[]
  /** By an index steps end after so many rows; otherwise after so many rowids, however few rows they have. */
  readonly #indexed: boolean
  #after = Number.MIN_SAFE_INTEGER
  #size = FEW
  #done = false

  constructor(rows: TableRows, condition?: RowCondition) {
    const { model } = rows.schema
    const columns = model.columns.map((column) => quoteName(column.name)).join(', ')
    this.#rows = rows
    this.#parameters = condition?.parameters ?? []
    const where = condition ? `(${condition.sql}) AND ` : ''
    const from = `SELECT rowid, ${columns} FROM ${rows.base} WHERE ${where}`
    const byIndex = `${from}rowid > ? ORDER BY rowid LIMIT ?`
    this.#indexed = condition === undefined || isIndexed(rows, byIndex, [...this.#parameters, 0, 1])
    this.#sql = this.#indexed ? byIndex : `${from}rowid > ? AND rowid <= ? ORDER BY rowid`
  }

  /** Whether there is nothing more to read. */
  get done(): boolean {
    return this.#done
  }

  /** The next rows; there may be none in a step that is not the last. */
  step(): ReadRow[] {
    if (this.#done) return []
    const began = performance.now()
    const found = this.#indexed ? this.#readNext() : this.#readWindow()
    const took = performance.now() - began
    if (took > LONG_MS) this.#size = Math.max(1, this.#size >> 1)
    else if (took < SHORT_MS) this.#size = Math.min(MANY, this.#size * 2)
    return found.map(([, ...stored]) => ({ key: this.#rows.keyOf(stored), stored }))
  }

  #readNext(): SqlValue[][] {
    const size = this.#size
    const found = this.#rows.statement(this.#sql).all([...this.#parameters, this.#after, size])
    if (found.length < size) this.#done = true
    else this.#after = Number(found.at(-1)![0])
    return found
  }

  #readWindow(): SqlValue[][] {
    const next = this.#rows
      .statement(`SELECT min(rowid) FROM ${this.#rows.base} WHERE rowid > ?`)
      .get([this.#after])?.[0]
    if (next === null || next === undefined) {
      this.#done = true
      return []
    }
    const to = Number(next) + this.#size - 1
    const found = this.#rows.statement(this.#sql).all([...this.#parameters, this.#after, to])
    this.#after = to
    return found
  }
}

/** Whether SQLite finds the rows by an index of the condition's own, and not by walking the table. */
function isIndexed(rows: TableRows, sql: string, parameters: readonly SqlValue[]): boolean {
  const plan = rows.statement(`EXPLAIN QUERY PLAN ${sql}`).all(parameters)
  return plan.every(([, , , detail]) => !/^SCAN |INTEGER PRIMARY KEY/.test(String(detail)))
}

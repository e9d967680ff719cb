import type { Key } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { quoteName } from '../../schema/index.ts'
import { compareStored, type CellChange } from './cells.ts'
import type { CellId } from './cell-id.ts'
import type { TableRows } from './table-rows.ts'

/** Every row of a table with its stored cells, in no order or that of the keys, read one by one and not kept. */
export function* rowsOf(
  rows: TableRows,
  order: 'any' | 'key' = 'any',
): Generator<{ readonly key: Key; readonly cells: ReadonlyMap<CellId, CellChange> }> {
  const { model } = rows.schema
  const columns = model.columns.map((column) => quoteName(column.name)).join(', ')
  const keys = model.key.map((column) => quoteName(column.name)).join(', ')
  const ordered = order === 'key' ? ` ORDER BY ${keys}` : ''
  for (const stored of rows.statement(`SELECT ${columns} FROM ${rows.base}${ordered}`).iterate())
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

/** In which order rows are read: that in which SQLite has them, or that of their keys. */
export type ScanOrder = 'stored' | 'key'

/**
 * Reads the rows of a table in steps, each of a few milliseconds, between which the table may change: what is inserted,
 * changed or deleted meanwhile may be among them or not. Without a condition every row.
 */
export class RowScan {
  readonly #rows: TableRows
  readonly #from: string
  readonly #parameters: readonly SqlValue[]
  /** What rows are ordered by, and how many columns that is. */
  readonly #order: string
  readonly #width: number
  /** By an index steps end after so many rows; otherwise after so many rows that were looked at, however few of them match. */
  readonly #indexed: boolean
  /** The last that was looked at. */
  #after: readonly SqlValue[] | undefined
  #size = FEW
  #done = false

  constructor(rows: TableRows, order: ScanOrder, condition?: RowCondition) {
    const { model } = rows.schema
    const columns = model.columns.map((column) => quoteName(column.name)).join(', ')
    const by = order === 'key' ? model.key.map((column) => quoteName(column.name)) : ['rowid']
    this.#rows = rows
    this.#parameters = condition?.parameters ?? []
    this.#order = by.join(', ')
    this.#width = by.length
    this.#from = `SELECT ${this.#order}, ${columns} FROM ${rows.base} WHERE ${condition ? `(${condition.sql}) AND ` : ''}`
    this.#indexed = condition === undefined || isIndexed(rows, this.#from, this.#order, this.#parameters)
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
    return found.map((values) => {
      const stored = values.slice(this.#width)
      return { key: this.#rows.keyOf(stored), stored }
    })
  }

  #readNext(): SqlValue[][] {
    const size = this.#size
    const found = this.#rows
      .statement(`${this.#from}${this.#beyond} ORDER BY ${this.#order} LIMIT ?`)
      .all([...this.#parameters, ...(this.#after ?? []), size])
    if (found.length < size) this.#done = true
    else this.#after = found.at(-1)!.slice(0, this.#width)
    return found
  }

  #readWindow(): SqlValue[][] {
    const after = this.#after ?? []
    const to = this.#rows
      .statement(
        `SELECT ${this.#order} FROM ${this.#rows.base} WHERE ${this.#beyond} ORDER BY ${this.#order} LIMIT 1 OFFSET ?`,
      )
      .get([...after, this.#size - 1])
    const upTo = to ? ` AND (${this.#order}) <= (${marks(this.#width)})` : ''
    const found = this.#rows
      .statement(`${this.#from}${this.#beyond}${upTo} ORDER BY ${this.#order}`)
      .all([...this.#parameters, ...after, ...(to ?? [])])
    if (to) this.#after = to
    else this.#done = true
    return found
  }

  get #beyond(): string {
    return this.#after ? `(${this.#order}) > (${marks(this.#width)})` : '1'
  }
}

function marks(count: number): string {
  return new Array<string>(count).fill('?').join(', ')
}

/** Whether SQLite finds the rows by an index of the condition's own, and not by walking the table. */
function isIndexed(rows: TableRows, from: string, order: string, parameters: readonly SqlValue[]): boolean {
  const plan = rows.statement(`EXPLAIN QUERY PLAN ${from}1 ORDER BY ${order} LIMIT 1`).all(parameters)
  return !plan.some(([, , , detail]) => String(detail).startsWith('SCAN '))
}

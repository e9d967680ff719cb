import { keyId, type Cells, type Key, type KeyId } from '../changes/index.ts'
import type { RowObject } from '../schema/index.ts'
import type { Engine } from './engine.ts'
import { fieldResolver } from './filter-fields.ts'
import { parseWhere, whereToSql } from './filter/index.ts'
import { RowScan, type ReadRow, type ScanOrder } from './rows/all-rows.ts'
import { compareStored, toRowChange } from './rows/cells.ts'
import type { TableRows } from './rows/table-rows.ts'

export type { ScanOrder } from './rows/all-rows.ts'

/** A row as it was read, which the store does not keep as one of its objects. */
export interface StoredRow {
  readonly key: Key
  readonly id: KeyId
  /** Made when it is asked for, and not frozen. */
  readonly row: RowObject
  /** What a copy of it needs: the cells that are stored. */
  readonly cells: Cells
}

/**
 * The rows of a table, read in steps of a few milliseconds; the table may change in between. With filters those that one
 * of them matches, by an index where there is one. Throws FilterError and NotFoundError for what is no filter or table.
 */
export class TableScan {
  readonly #rows: TableRows
  readonly #scan: RowScan

  constructor(engine: Engine, table: string, order: ScanOrder, filters?: readonly object[]) {
    this.#rows = engine.table(table)
    const node = filters && parseWhere({ or: [...filters] }, fieldResolver(this.#rows))
    this.#scan = new RowScan(this.#rows, order, node && whereToSql(node))
  }

  /** Whether all rows were read. */
  get done(): boolean {
    return this.#scan.done
  }

  /** The next rows; there may be none although more are to come. */
  step(): StoredRow[] {
    return this.#scan.step().map((read) => new Read(this.#rows, read))
  }
}

/** The row under a key as it is now. */
export function storedRow(engine: Engine, table: string, key: Key): StoredRow | undefined {
  const rows = engine.table(table)
  return rows.rowidOf(key) === undefined ? undefined : new Read(rows, { key, stored: rows.storedOf(key) })
}

class Read implements StoredRow {
  readonly key: Key
  readonly id: KeyId
  readonly #rows: TableRows
  readonly #stored: ReadRow['stored']
  #row: RowObject | undefined

  constructor(rows: TableRows, { key, stored }: ReadRow) {
    this.key = key
    this.id = keyId(key)
    this.#rows = rows
    this.#stored = stored
  }

  get row(): RowObject {
    return (this.#row ??= this.#rows.schema.codec.decode(this.#stored))
  }

  get cells(): Cells {
    const { key, id } = this
    const cells = compareStored(this.#rows.schema.model, undefined, this.#stored)
    return toRowChange({ rows: this.#rows, key, id, op: 'insert', cells }).after
  }
}

import { internals, TableScan, type StoredRow } from '../store/index.ts'
import type { LiveDatabase } from './live-database.ts'
import type { Viewer } from './viewer.ts'

/** Rows that are handed out in one go. */
const AT_ONCE = 32

/**
 * The rows among which those lie that a viewer sees, or that one of its subscriptions shows: a few at a time. Between two
 * steps the database may change, and what it was before may still be handed out.
 */
export class RowWalk {
  readonly #database: LiveDatabase
  readonly #viewer: Viewer
  readonly #subscription: string | undefined
  readonly #tables: string[]
  #table = ''
  #scan: TableScan | undefined
  #read: StoredRow[] = []

  constructor(database: LiveDatabase, viewer: Viewer, subscription: string | undefined) {
    this.#database = database
    this.#viewer = viewer
    this.#subscription = subscription
    this.#tables = viewer.tables(subscription)
  }

  /** Some rows, perhaps none; `undefined` once there are no more. */
  next(): { readonly table: string; readonly row: StoredRow }[] | undefined {
    if (this.#read.length === 0) {
      const scan = this.#nextScan()
      if (!scan) return undefined
      this.#read = scan.step()
    }
    const table = this.#table
    return this.#read.splice(0, AT_ONCE).map((row) => ({ table, row }))
  }

  #nextScan(): TableScan | undefined {
    while (!this.#scan || this.#scan.done) {
      const table = this.#tables.shift()
      if (table === undefined) return undefined
      this.#table = table
      const { engine } = internals(this.#database.store)
      this.#scan = new TableScan(engine, table, this.#viewer.order, this.#viewer.filters(table, this.#subscription))
    }
    return this.#scan
  }
}

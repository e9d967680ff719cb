import { allAtOnce, type Steps } from '../changes/index.ts'
import type { SqlValue } from '../drivers/index.ts'
import type { StoredCells } from '../schema/index.ts'

/** One change as a trigger told of it. `undo` puts back what the store keeps beside SQLite (a cached row). */
export type JournalEntry =
  | {
      readonly op: 'insert'
      readonly table: number
      readonly rowid: number
      /** The cells as they were written, by whoever knows them; otherwise the row is read when it is needed. */
      cells: StoredCells | undefined
    }
  | {
      readonly op: 'delete'
      readonly table: number
      readonly rowid: number
      readonly before: SqlValue[]
      readonly undo: (() => void) | undefined
    }
  | {
      readonly op: 'update'
      readonly table: number
      readonly rowid: number
      readonly column: number
      readonly before: SqlValue
      readonly after: SqlValue
      readonly undo: (() => void) | undefined
    }

/** Entries that are gone through in one step. */
const STEP = 1_000

/** The first value of a cell and the last. */
interface CellTrace {
  readonly before: SqlValue
  readonly after: SqlValue
}

/** What happened to one row between two points of the journal: where it stood before, and whether it still stands. */
export interface RowTrace {
  readonly table: number
  readonly rowid: number
  /** Whether the row was there before. */
  readonly existed: boolean
  /** Whether it is gone. Then `before` has all its columns. */
  deleted: boolean
  before: SqlValue[] | undefined
  /** The cells of an inserted row, where they are known; the others are NULL. */
  after: StoredCells | undefined
  /** By column: the first value before and the last after. Of a row that existed and still does. */
  readonly cells: Map<number, CellTrace>
  /** Puts back what the store keeps beside SQLite: for a row whose values all came back. */
  readonly restore: (() => void) | undefined
}

/**
 * The net of entries, a trace a row: what a row was first, whatever came between. A row that came and went leaves none.
 * SQLite reuses rowids, so a delete followed by an insert under the same rowid gives two traces.
 */
export function traceRows(entries: readonly JournalEntry[], from = 0, to: number = entries.length): RowTrace[] {
  return allAtOnce(traceRowsInSteps(entries, from, to))
}

/** The same in steps. */
export function* traceRowsInSteps(
  entries: readonly JournalEntry[],
  from = 0,
  to: number = entries.length,
): Steps<RowTrace[]> {
  const traces: (RowTrace | undefined)[] = []
  const noCells: RowTrace['cells'] = new Map()
  const copies = new Map<RowTrace, StoredCells>()
  const open = new Map<number, Map<number, number>>()
  const slotsOf = (table: number): Map<number, number> => {
    let slots = open.get(table)
    if (!slots) open.set(table, (slots = new Map<number, number>()))
    return slots
  }
  const start = (entry: JournalEntry, existed: boolean): RowTrace => {
    const trace: RowTrace = {
      table: entry.table,
      rowid: entry.rowid,
      existed,
      deleted: false,
      before: undefined,
      after: undefined,
      cells: existed ? new Map<number, CellTrace>() : noCells,
      restore: entry.op === 'insert' ? undefined : entry.undo,
    }
    slotsOf(entry.table).set(entry.rowid, traces.length)
    traces.push(trace)
    return trace
  }
  for (let at = from; at < to; at++) {
    if (at % STEP === STEP - 1) yield
    const entry = entries[at]!
    const slots = slotsOf(entry.table)
    const slot = slots.get(entry.rowid)
    const trace = slot === undefined ? undefined : traces[slot]
    if (entry.op === 'insert') start(entry, false).after = entry.cells
    else if (entry.op === 'update') {
      const row = trace ?? start(entry, true)
      if (row.existed)
        row.cells.set(entry.column, { before: (row.cells.get(entry.column) ?? entry).before, after: entry.after })
      else if (row.after) {
        // The journal's own are left as they are; one copy is enough.
        const cells = copies.get(row) ?? row.after.copy()
        copies.set(row, cells)
        cells.set(entry.column, entry.after)
        row.after = cells
      }
    } else {
      const row = trace ?? start(entry, true)
      const place = slots.get(entry.rowid)!
      slots.delete(entry.rowid)
      if (!row.existed) {
        traces[place] = undefined
        continue
      }
      row.deleted = true
      row.before = entry.before.slice()
      for (const [column, change] of row.cells) row.before[column] = change.before
    }
  }
  return traces.filter((trace) => trace !== undefined)
}

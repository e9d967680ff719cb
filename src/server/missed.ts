import type { Cells, CellValue, Key, KeyId } from '../changes/index.ts'
import { internals, storedRow, type RowTransition, type Store, type StoredRow } from '../store/index.ts'
import type { WireChange } from '../transport/index.ts'
import type { Viewer } from './viewer.ts'

/** A row that has changed since it was told of. */
interface MissedRow {
  readonly key: Key
  /** Whether the client has it. */
  had: boolean
  /** What has changed in it; `undefined` where it came or went in between. */
  paths: Set<string> | undefined
}

/**
 * The rows that have changed for one viewer since it was told last: what they are is looked up when there is room to
 * tell it. So whoever reads slowly hears of each row once, and costs no more than that.
 */
export class Missed {
  readonly #viewer: Viewer
  readonly #tables = new Map<string, Map<KeyId, MissedRow>>()
  #size = 0

  constructor(viewer: Viewer) {
    this.#viewer = viewer
  }

  /** How many rows there are. */
  get size(): number {
    return this.#size
  }

  note(transitions: readonly RowTransition[]): void {
    for (const transition of transitions) this.#note(transition)
  }

  /** Rows have been taken from the client by something else: of these it is not known any more which it has, and how. */
  mayBeHad(): void {
    for (const rows of this.#tables.values())
      for (const row of rows.values()) {
        row.had = true
        row.paths = undefined
      }
  }

  /** What became of them, as changes for a client that has what it was told of. Between transactions. */
  changes(store: Store): WireChange[] {
    return this.#viewer.inOrder([...this.#changes(store)])
  }

  *#changes(store: Store): Generator<WireChange> {
    for (const { table, row: missed, now } of this.#now(store)) {
      const { key, had, paths } = missed
      if (!now) {
        if (had) yield { table, key, op: 'delete' }
      } else if (had && paths && !this.#viewer.withholds(table))
        yield { table, key, op: 'update', after: cellsAt(now.cells, paths) }
      else yield { table, key, op: 'put', after: this.#viewer.shownCells(table, now.row, now.cells) }
    }
  }

  /** The same for a client that may have any of them: the rows that are there, whole, and the keys of the others. */
  *rows(store: Store): Generator<{ readonly table: string; readonly key: Key; readonly cells: Cells | undefined }> {
    for (const { table, row, now } of this.#now(store))
      yield { table, key: row.key, cells: now && this.#viewer.shownCells(table, now.row, now.cells) }
  }

  *#now(
    store: Store,
  ): Generator<{ readonly table: string; readonly row: MissedRow; readonly now: StoredRow | undefined }> {
    const { engine } = internals(store)
    for (const [table, rows] of this.#tables)
      for (const row of rows.values()) {
        const now = storedRow(engine, table, row.key)
        yield { table, row, now: now && this.#viewer.sees(table, now.row) ? now : undefined }
      }
  }

  #note(transition: RowTransition): void {
    const { change, id } = transition
    const known = this.#tables.get(change.table)?.get(id)
    const paths = change.op === 'update' ? Object.keys(change.after) : undefined
    if (known) {
      if (!paths) known.paths = undefined
      else for (const path of paths) known.paths?.add(path)
      return
    }
    // What is out of sight has no part in it.
    if (this.#viewer.change(transition) === undefined) return
    const { was } = this.#viewer.seen(transition)
    let rows = this.#tables.get(change.table)
    if (!rows) this.#tables.set(change.table, (rows = new Map<KeyId, MissedRow>()))
    rows.set(id, { key: change.key, had: was, paths: paths && new Set(paths) })
    this.#size++
  }
}

function cellsAt(cells: Cells, paths: ReadonlySet<string>): Cells {
  return Object.fromEntries(
    [...paths].map((path): [string, CellValue] => [path, Object.hasOwn(cells, path) ? cells[path] : undefined]),
  )
}

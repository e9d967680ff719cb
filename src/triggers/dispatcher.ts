import type { KeyId } from '../changes/index.ts'

/** Who listens to a row, or to some of its columns. */
export interface RowListener {
  /** What it listens to, to find it again: a property path, `undefined` for the whole row. */
  readonly path: string | undefined
  /** Called after a commit that changed the row (or one of the columns) listened to. */
  look(): void
}

/** Who listens to one row: to all of it, or to one column each. */
interface RowListeners {
  whole: Set<RowListener> | undefined
  byColumn: Map<number, Set<RowListener>> | undefined
}

/**
 * Row listeners by table → row → column, so that a change costs those whom it concerns, however many others there are.
 * No timers, no queries. What a path within a JSON column concerns is for its listener to find out.
 */
export class Dispatcher {
  readonly #tables: Map<KeyId, RowListeners>[]

  constructor(tables: number) {
    this.#tables = Array.from({ length: tables }, () => new Map<KeyId, RowListeners>())
  }

  /** Listens to a row, or to some of its columns, until it is forgotten. */
  listen(table: number, key: KeyId, columns: readonly number[] | undefined, listener: RowListener): void {
    const rows = this.#tables[table]!
    let row = rows.get(key)
    if (!row) rows.set(key, (row = { whole: undefined, byColumn: undefined }))
    if (columns === undefined) (row.whole ??= new Set()).add(listener)
    else {
      const byColumn = (row.byColumn ??= new Map<number, Set<RowListener>>())
      for (const column of columns) {
        const listeners = byColumn.get(column)
        if (listeners) listeners.add(listener)
        else byColumn.set(column, new Set([listener]))
      }
    }
  }

  /** Who listens to the same already. */
  find(
    table: number,
    key: KeyId,
    columns: readonly number[] | undefined,
    path: string | undefined,
  ): RowListener | undefined {
    const row = this.#tables[table]!.get(key)
    const listeners = columns === undefined ? row?.whole : row?.byColumn?.get(columns[0]!)
    for (const listener of listeners ?? []) if (listener.path === path) return listener
    return undefined
  }

  /** Whether anyone listens to a row. */
  concerns(table: number, key: KeyId): boolean {
    return this.#tables[table]!.has(key)
  }

  /**
   * Adds to `found` whoever listens to a row. `columns` is what changed in it, `undefined` when the row came or went.
   */
  collect(table: number, key: KeyId, columns: Iterable<number> | undefined, found: Set<RowListener>): void {
    const row = this.#tables[table]!.get(key)
    if (!row) return
    if (row.whole) for (const listener of row.whole) found.add(listener)
    if (!row.byColumn) return
    if (columns === undefined) {
      for (const listeners of row.byColumn.values()) for (const listener of listeners) found.add(listener)
      return
    }
    for (const column of columns) {
      const listeners = row.byColumn.get(column)
      if (listeners) for (const listener of listeners) found.add(listener)
    }
  }

  /** How many rows have listeners. */
  get size(): number {
    return this.#tables.reduce((sum, rows) => sum + rows.size, 0)
  }

  clear(): void {
    for (const rows of this.#tables) rows.clear()
  }

  /** Ends what `listen` began. */
  forget(table: number, key: KeyId, columns: readonly number[] | undefined, listener: RowListener): void {
    const rows = this.#tables[table]!
    const row = rows.get(key)
    if (!row) return
    if (columns === undefined) {
      row.whole?.delete(listener)
      if (row.whole?.size === 0) row.whole = undefined
    } else {
      for (const column of columns) {
        const listeners = row.byColumn?.get(column)
        listeners?.delete(listener)
        if (listeners?.size === 0) row.byColumn?.delete(column)
      }
      if (row.byColumn?.size === 0) row.byColumn = undefined
    }
    if (!row.whole && !row.byColumn) rows.delete(key)
  }
}

import type { KeyId } from '../changes/index.ts'

/** Who listens to a row, or to some of its columns. */
export interface RowListener {
  /** What it listens to, to find it again: a property path, `undefined` for the whole row. One for each of a row. */
  readonly path: string | undefined
  /** Called after a commit that changed the row (or one of the columns) listened to. */
  look(): void
  /** Called when the store closes. */
  end(): void
}

/** Who listens to one row: to all of it, or to one path each. */
interface RowListeners {
  /** One at most: a long list listens to so many rows that each Set would be felt. */
  whole: RowListener | undefined
  byColumn: Map<number, Set<RowListener>> | undefined
}

/** The columns of a listener to a path that any column may concern. */
const ANY: readonly number[] = [-1]

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
  listen(table: number, key: KeyId, columns: readonly number[] = ANY, listener: RowListener): void {
    const rows = this.#tables[table]!
    let row = rows.get(key)
    if (!row) rows.set(key, (row = { whole: undefined, byColumn: undefined }))
    if (listener.path === undefined) {
      row.whole = listener
      return
    }
    const byColumn = (row.byColumn ??= new Map<number, Set<RowListener>>())
    for (const column of columns) {
      const listeners = byColumn.get(column)
      if (listeners) listeners.add(listener)
      else byColumn.set(column, new Set([listener]))
    }
  }

  /** Who listens to the same already. */
  find(table: number, key: KeyId, columns: readonly number[] = ANY, path: string | undefined): RowListener | undefined {
    const row = this.#tables[table]!.get(key)
    if (!row || path === undefined) return row?.whole
    for (const listener of row.byColumn?.get(columns[0]!) ?? []) if (listener.path === path) return listener
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
    if (row.whole) found.add(row.whole)
    if (!row.byColumn) return
    if (columns === undefined) {
      for (const listeners of row.byColumn.values()) for (const listener of listeners) found.add(listener)
      return
    }
    for (const listener of row.byColumn.get(ANY[0]!) ?? []) found.add(listener)
    for (const column of columns) {
      const listeners = row.byColumn.get(column)
      if (listeners) for (const listener of listeners) found.add(listener)
    }
  }

  /** How many rows have listeners. */
  get size(): number {
    return this.#tables.reduce((sum, rows) => sum + rows.size, 0)
  }

  /** Forgets everyone. Gives whoever listened. */
  clear(): RowListener[] {
    const all = new Set<RowListener>()
    for (const rows of this.#tables) {
      for (const { whole, byColumn } of rows.values()) {
        if (whole) all.add(whole)
        for (const listeners of byColumn?.values() ?? []) for (const listener of listeners) all.add(listener)
      }
      rows.clear()
    }
    return [...all]
  }

  /** Ends what `listen` began. */
  forget(table: number, key: KeyId, columns: readonly number[] = ANY, listener: RowListener): void {
    const rows = this.#tables[table]!
    const row = rows.get(key)
    if (!row) return
    if (listener.path === undefined) row.whole = undefined
    else {
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

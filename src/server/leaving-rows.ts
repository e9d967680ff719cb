import { rowIdOf, serializeValue, type Key } from '../changes/index.ts'
import { RowScan, type ScanOptions } from './row-scan.ts'

/** The answer to an `unsubscribe`: the rows that no other subscription shows, found while others go on. */
export class LeavingRows extends RowScan<ScanOptions & { readonly subscription: string }> {
  readonly #gone = new Map<string, readonly [table: string, key: Key]>()

  protected override message(): string | undefined {
    const { viewer, subscription } = this.options
    while (!this.turn.over) {
      const found = this.walk.next()
      if (!found) return this.#last()
      for (const { table, row } of found)
        if (viewer.leaves(table, row.row, subscription))
          this.#gone.set(rowIdOf({ table, key: row.key }), [table, row.key])
    }
    return undefined
  }

  #last(): string {
    const { database, viewer, subscription, finished } = this.options
    viewer.remove(subscription)
    for (const { table, key, cells } of this.missed.rows(database.store))
      if (cells) this.#gone.delete(rowIdOf({ table, key }))
      else this.#gone.set(rowIdOf({ table, key }), [table, key])
    this.close()
    const { position } = finished()
    return serializeValue({ type: 'unsubscribed', id: subscription, gone: [...this.#gone.values()], position }).slice(1)
  }
}

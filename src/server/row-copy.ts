import { serializeValue, type Key } from '../changes/index.ts'
import type { StoredRow } from '../store/index.ts'
import type { WireRow } from '../transport/index.ts'
import { Missed } from './missed.ts'
import { RowScan } from './row-scan.ts'

/** UTF-16 units of one message, about: what a client takes in at once. */
const MESSAGE_LENGTH = 16 * 1024
/** Rows that changed meanwhile, of which so many are told in the end in one go. */
const FEW = 200

/**
 * The rows that someone sees, as messages that are made one by one while others go on: between them transactions may be
 * decided. What these change is told in the end, in one step between two transactions, so that all of it together is the
 * state at that moment.
 */
export class RowCopy extends RowScan {
  /** Rows for the next message, as texts. */
  #rows: string[] = []
  #length = 0

  /**
   * `undefined` where it is not full at the end of one's turn. What is in a message does not depend on how long that took: it
   * would tell of the rows that were passed over.
   */
  protected override message(): string | undefined {
    while (this.#length < MESSAGE_LENGTH) {
      if (this.turn.over) return undefined
      const found = this.walk.next()
      if (!found) return this.missed.size > FEW ? this.#changed() : this.#last()
      for (const { table, row } of found) {
        const shown = this.#shown(table, row)
        if (shown) this.#add(serializeValue(shown))
      }
    }
    return this.#text(this.#taken())
  }

  #add(text: string): void {
    this.#rows.push(text)
    this.#length += text.length
  }

  #taken(): string[] {
    const rows = this.#rows
    this.#rows = []
    this.#length = 0
    return rows
  }

  #shown(table: string, { key, row, cells }: StoredRow): WireRow | undefined {
    const { viewer, subscription } = this.options
    if (viewer.seesAll && subscription === undefined) return [table, key, cells]
    const sees = subscription === undefined ? viewer.sees(table, row) : viewer.enters(table, row, subscription)
    return sees ? [table, key, viewer.shownCells(table, row, cells)] : undefined
  }

  /** Much has changed: it is told, and noted anew from here on. */
  #changed(): string {
    const missed = this.missed
    this.missed = new Missed(this.options.viewer)
    const [changed, gone] = this.#rowsOf(missed)
    return this.#text([...this.#taken(), ...changed], gone)
  }

  #last(): string {
    const { untold, finished } = this.options
    const [changed, gone] = this.#rowsOf(untold?.() ?? this.missed)
    this.close()
    return this.#text([...this.#taken(), ...changed], gone, finished())
  }

  #rowsOf(missed: Missed): [rows: string[], gone: [string, Key][]] {
    const rows: string[] = []
    const gone: [string, Key][] = []
    for (const { table, key, cells } of missed.rows(this.options.database.store))
      if (cells) rows.push(serializeValue([table, key, cells]))
      else gone.push([table, key])
    return [rows, gone]
  }

  #text(rows: readonly string[], gone: readonly [string, Key][] = [], at: object = {}): string {
    const { subscription } = this.options
    const head = subscription === undefined ? '' : `"subscription":${JSON.stringify(subscription)},`
    const rest = serializeValue({ ...(gone.length > 0 && { gone }), ...at }).slice(1)
    return `"type":"rows",${head}"rows":[${rows.join(',')}]${rest === '}' ? '' : ','}${rest}`
  }
}

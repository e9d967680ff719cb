import type { KeyId } from '../../changes/index.ts'
import type { RowObject } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import { InsertedRow, type NetRow } from '../rows/cells.ts'
import type { TableRows } from '../rows/table-rows.ts'
import { Live } from './live.ts'
import { insertedRow, liveIndexOf, type Follower } from './live-index.ts'
import { LiveSource } from './live-source.ts'
import { SortedWindow } from './sorted-window.ts'
import type { TableQuery } from './table-query.ts'

/** Up to here a window keeps the rows before its offset too, which is what makes it exact without asking SQLite. */
const MAX_KEPT_OFFSET = 2_000
/** Fewer changes than this are always applied one by one. */
const FEW_CHANGES = 256

/** Windows of more rows than this are told of every change of the table instead of the changes of their rows. */
const MAX_HELD = 1_000

/** A live query of one table. */
export class TableLive<Row extends object = RowObject> extends Live<Row> {
  /** `spare`: how many rows behind the limit to keep, so that rows that leave are followed without asking SQLite. */
  constructor(engine: Engine, rows: TableRows, query: TableQuery, spare?: number) {
    super(engine, `table\0${query.identity}\0${spare}`, () => new TableSource(engine, rows, query, spare))
  }
}

/**
 * A query of one table, kept up to date from the net changes of each transaction.
 *
 * A subscriber may write while a transaction is being told, so SQLite can be ahead of the changes that arrive here. A
 * changed row is therefore always taken as it is now; taking it again with the later change does nothing.
 */
class TableSource<Row extends object> extends LiveSource<Row> implements Follower {
  readonly columns: ReadonlySet<number>
  readonly everything: boolean
  readonly deletes: boolean
  readonly passes: ((row: object) => boolean) | undefined
  readonly #rows: TableRows
  readonly #query: TableQuery
  readonly #spare: number | undefined
  #window: SortedWindow | undefined

  constructor(engine: Engine, rows: TableRows, query: TableQuery, spare: number | undefined) {
    super(engine, `table\0${query.identity}\0${spare}`)
    this.#spare = spare
    this.#rows = rows
    this.#query = query
    this.columns = query.columns
    this.everything = query.limit === undefined || query.offset + query.limit > MAX_HELD
    this.deletes = this.everything
    this.passes = this.everything ? undefined : query.matches
  }

  override tables(): Iterable<TableRows> {
    return [this.#rows]
  }

  override read(): readonly Row[] {
    return this.#query.run() as object[] as Row[]
  }

  protected override start(): readonly Row[] {
    const index = liveIndexOf(this.engine, this.#rows)
    const holder = this.everything
      ? undefined
      : {
          hold: (id: KeyId) => index.hold(this, id),
          letGo: (id: KeyId) => index.letGo(this, id),
        }
    let rows: readonly RowObject[]
    if (this.#query.offset > MAX_KEPT_OFFSET) rows = this.#query.run()
    else {
      const window = new SortedWindow(this.#query, holder, this.#spare)
      window.fill()
      rows = window.visible()
      this.#window = window
    }
    index.add(this)
    return rows as readonly object[] as readonly Row[]
  }

  protected override stop(): void {
    this.#window?.clear()
    this.#window = undefined
    liveIndexOf(this.engine, this.#rows).remove(this)
  }

  protected override refresh(): void {
    this.renew(() => {
      this.#window?.fill()
      return (this.#window ? this.#window.visible() : this.#query.run()) as readonly object[] as readonly Row[]
    })
  }

  protected override idOf(row: Row): unknown {
    return this.#query.idOf(row)
  }

  changed(nets: readonly NetRow[]): void {
    if (!this.current || this.#query.limit === 0) return
    const window = this.#window
    if (!window) {
      this.#changedFarBehind(nets)
      return
    }
    const concerned = nets.filter((net) => window.has(net.id) || (net.op !== 'delete' && this.#query.touches(net)))
    if (concerned.length === 0) return
    if (concerned.length > Math.max(FEW_CHANGES, window.length / 4)) {
      const inserted = this.#inserted(concerned, window)
      if (inserted) this.renew(() => this.#with(inserted, window))
      else this.refresh()
      return
    }
    let changed = false
    for (const net of concerned) if (window.set(net.id, this.#now(net, window))) changed = true
    if (window.short) this.refresh()
    else if (changed) this.#publish(window.visible())
  }

  /** The rows that came, where nothing but that has happened: a list of all rows takes an import in, and reads nothing again. */
  #inserted(nets: readonly NetRow[], window: SortedWindow): readonly RowObject[] | undefined {
    if (this.#query.limit !== undefined || !this.engine.tellsTheLast) return undefined
    const came: RowObject[] = []
    for (const net of nets) {
      if (!(net instanceof InsertedRow) || window.has(net.id)) return undefined
      if (this.#query.matches(net.row)) came.push(this.#rows.adopt(net))
    }
    return came
  }

  #with(inserted: readonly RowObject[], window: SortedWindow): readonly Row[] {
    window.merge(inserted)
    return window.visible() as readonly object[] as readonly Row[]
  }

  /** The row as it is now, if it matches. */
  #now(net: NetRow, window: SortedWindow): RowObject | undefined {
    if (net.op === 'delete') return undefined
    if (net.op === 'insert' && !window.has(net.id)) {
      const row = insertedRow(net)
      if (!this.#query.matches(row) || window.isBeyond(row)) return undefined
    }
    const row = this.#rows.get(net.key)
    return row && this.#query.matches(row) ? row : undefined
  }

  /** Where the rows before the window aren't known, any change that may move them asks SQLite. */
  #changedFarBehind(nets: readonly NetRow[]): void {
    if (nets.some((net) => this.#query.touches(net))) {
      this.refresh()
      return
    }
    const ids = new Set(nets.map((net) => net.id))
    if (this.current!.some((row) => ids.has(this.#query.idOf(row)))) this.refresh()
  }

  #publish(rows: readonly RowObject[]): void {
    this.publish(rows as readonly object[] as readonly Row[])
  }
}

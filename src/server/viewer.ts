import { HIDDEN, rowIdOf, serializeValue, type Cells, type CellValue, type RowChange } from '../changes/index.ts'
import { internals, storedRows, type RowTransition, type ScanOrder, type Store } from '../store/index.ts'
import type { WireChange, WireRow, WireSet, WireSubscription } from '../transport/index.ts'
import { isAtOrBelow, type Access } from './access.ts'
import { FilterBudget, type FilterLimits } from './filter-budget.ts'
import { Positions } from './position.ts'

/** One set of a subscription: a table, and which of its rows. */
interface RowSet {
  readonly where: object | undefined
  readonly test: ((row: object) => boolean) | undefined
}

/** What one connection sees of a database: what its user may see of what it subscribed to. */
export class Viewer {
  readonly #store: Store
  readonly #access: Access
  /** By subscription: its tests by table; `undefined` for everything. */
  readonly #subscriptions = new Map<string, ReadonlyMap<string, readonly RowSet[]> | undefined>()
  readonly #described = new Map<string, WireSubscription>()
  readonly #budget: FilterBudget
  /** Those whose rows are still to be sent. */
  readonly #unsent = new Set<string>()
  #view: string | undefined

  constructor(store: Store, access: Access, limits: FilterLimits) {
    this.#store = store
    this.#access = access
    this.#budget = new FilterBudget(store, limits)
  }

  /**
   * Throws NotFoundError and FilterError for tables and filters that there aren't, TooDearError for filters that would
   * take too much; then nothing has changed.
   */
  add(subscription: WireSubscription): void {
    const { id, sets } = subscription
    this.#budget.add(id, sets)
    this.#subscriptions.set(id, sets.length === 0 ? undefined : this.#compile(sets))
    this.#described.set(id, subscription)
    this.#view = undefined
  }

  /** How many subscriptions there are. */
  get size(): number {
    return this.#subscriptions.size
  }

  has(id: string): boolean {
    return this.#subscriptions.has(id)
  }

  remove(id: string): void {
    this.#subscriptions.delete(id)
    this.#described.delete(id)
    this.#unsent.delete(id)
    this.#budget.remove(id)
    this.#view = undefined
  }

  /** Whether it sees every row there is. */
  get seesAll(): boolean {
    return this.#access.unrestricted && [...this.#subscriptions.values()].includes(undefined)
  }

  /** What a position is good for: the same user under the same rules and schema, with the same subscriptions. */
  get view(): string {
    const { version } = this.#store.schema
    if (this.seesAll) return Positions.everything(version)
    this.#view ??= this.#describe(version)
    return this.#view
  }

  #describe(version: number): string {
    const sets = [...this.#described.values()].map((one) => serializeValue(one.sets)).toSorted()
    return JSON.stringify([version, this.#access.view, sets])
  }

  sees(table: string, row: object): boolean {
    // By what may be seen: otherwise a filter on a field that is withheld would tell of it.
    return this.#isSubscribed(table, this.#access.shown(table, row)) && this.#access.canView(table, row)
  }

  /** Whether a row is there and may be seen, with the field that a path names, if it does. */
  seesKey(table: string, key: unknown, path?: unknown): boolean {
    if (!this.#store.schema.tables.has(table)) return false
    const row = this.#store.table(table).get(key as never) as object | undefined
    if (row === undefined || !this.#access.canView(table, row)) return false
    return typeof path !== 'string' || !this.#access.withheld(table, row).some((field) => isAtOrBelow(path, field))
  }

  /**
   * What net changes of some time are to this viewer, what goes last. Where not everything may be seen, the order is that of
   * the keys: that in which rows were first touched would tell of what was done to them out of sight.
   */
  changes(transitions: readonly RowTransition[]): WireChange[] {
    return this.inOrder(
      transitions.map((transition) => this.change(transition)).filter((change) => change !== undefined),
    )
  }

  /** Net changes in the order in which this viewer is told of them. */
  inOrder(changes: readonly WireChange[]): WireChange[] {
    if (this.#access.unrestricted) return [...changes]
    return changes
      .map((change) => ({ change, id: rowIdOf(change) }))
      .toSorted((a, b) => isGone(a.change) - isGone(b.change) || (a.id < b.id ? -1 : 1))
      .map(({ change }) => change)
  }

  /** The order in which it is shown rows: in that in which they were stored, those that came into sight later would stand out. */
  get order(): ScanOrder {
    return this.#access.unrestricted ? 'stored' : 'key'
  }

  /** Whether there are fields of a table that this viewer may not see. */
  withholds(table: string): boolean {
    return this.#access.withholds(table)
  }

  /** Whether it sees a row before and after it changed. */
  seen({ change, before, after }: RowTransition): { readonly was: boolean; readonly is: boolean } {
    if (this.seesAll) return { was: change.op !== 'insert', is: change.op !== 'delete' }
    return {
      was: before !== undefined && this.sees(change.table, before),
      is: after !== undefined && this.sees(change.table, after),
    }
  }

  /** What a change is to this viewer: a row that enters, changes, leaves, or nothing. */
  change(transition: RowTransition): WireChange | undefined {
    if (this.seesAll) return wireChange(transition.change)
    const { change } = transition
    const { table, key } = change
    // The rows themselves are made when they are asked for.
    if (!this.#isSpokenOf(table)) return undefined
    const { before, after } = transition
    const { was, is } = this.seen(transition)
    if (was && !is) return { table, key, op: 'delete' }
    if (!is) return undefined
    if (!was) return { table, key, op: 'put', after: this.shownCells(table, after!, transition.cells) }
    if (!this.withholds(table)) return wireChange(change)
    const shown = this.#shownChange(table, before!, after!, transition)
    return Object.keys(shown).length > 0 ? { table, key, op: 'update', after: shown } : undefined
  }

  /** The cells of a row that enters. What is withheld is named, so that it is not taken for its default. */
  shownCells(table: string, row: object, cells: Cells): Cells {
    if (!this.withholds(table)) return cells
    const shown = new Map(Object.entries(cells))
    for (const path of this.#access.withheld(table, row)) shown.set(path, HIDDEN)
    return inOrder(shown)
  }

  /** What a change is to one who does not see every field: fields may come into sight, or go out of it. */
  #shownChange(table: string, before: object, after: object, { change, cells }: RowTransition): Cells {
    const was = new Set(this.#access.withheld(table, before))
    const is = new Set(this.#access.withheld(table, after))
    const shown = new Map(Object.entries(change.after))
    for (const path of is)
      if (was.has(path)) shown.delete(path)
      else shown.set(path, HIDDEN)
    for (const path of was) if (!is.has(path)) shown.set(path, Object.hasOwn(cells, path) ? cells[path] : undefined)
    return inOrder(shown)
  }

  /** The tables of which it shows rows, or of which one subscription does. */
  tables(subscription?: string): string[] {
    const ids = subscription === undefined ? [...this.#subscriptions.keys()] : [subscription]
    return this.#store.tables.filter((table) => ids.some((id) => this.#speaksOf(id, table)))
  }

  /**
   * Filters one of which every row of a table matches that it shows, or that one subscription does; `undefined` where any
   * row may be shown.
   */
  filters(table: string, subscription?: string): readonly object[] | undefined {
    // To who may not see every field a row is another one than to SQLite.
    if (this.withholds(table)) return undefined
    const ids = subscription === undefined ? this.#subscriptions.keys() : [subscription]
    const filters: object[] = []
    for (const id of ids) {
      const byTable = this.#subscriptions.get(id)
      if (!byTable) return undefined
      for (const { where } of byTable.get(table) ?? []) {
        if (!where) return undefined
        filters.push(where)
      }
    }
    return filters
  }

  /** How many rows there are, whoever sees them. */
  get rowCount(): number {
    return this.#store.tables.reduce((sum, table) => sum + this.#store.table(table).count(), 0)
  }

  /** Every row, for one who sees everything. */
  *allRows(): Generator<WireRow> {
    for (const table of this.#store.tables)
      for (const [key, cells] of storedRows(internals(this.#store).engine, table)) yield [table, key, cells]
  }

  /** Whether a row has to be sent for a subscription: it shows it, and none that was sent before does. */
  enters(table: string, row: object, subscription: string): boolean {
    return this.#isAloneIn(subscription, table, row, (id) => !this.#unsent.has(id))
  }

  /** Whether a row leaves with a subscription: it shows it, and no other does. */
  leaves(table: string, row: object, subscription: string): boolean {
    return this.#isAloneIn(subscription, table, row, () => true)
  }

  /** The rows of a subscription are to be sent, or have been. */
  markSent(subscription: string, sent: boolean): void {
    if (sent) this.#unsent.delete(subscription)
    else this.#unsent.add(subscription)
  }

  #compile(sets: readonly WireSet[]): ReadonlyMap<string, readonly RowSet[]> {
    const byTable = new Map<string, RowSet[]>()
    for (const { table, where } of sets) {
      const test = this.#store.table(table).predicate(where ?? {}).test
      const known = byTable.get(table) ?? []
      known.push({ where, test: where ? test : undefined })
      byTable.set(table, known)
    }
    return byTable
  }

  #isSubscribed(table: string, row: object): boolean {
    for (const id of this.#subscriptions.keys()) if (this.#isIn(id, table, row)) return true
    return false
  }

  #isIn(id: string, table: string, row: object): boolean {
    const byTable = this.#subscriptions.get(id)
    if (!byTable) return this.#subscriptions.has(id)
    return (byTable.get(table) ?? []).some(({ test }) => !test || test(row))
  }

  #isAloneIn(id: string, table: string, row: object, counts: (other: string) => boolean): boolean {
    const shown = this.#access.shown(table, row)
    if (!this.#isIn(id, table, shown)) return false
    for (const other of this.#subscriptions.keys())
      if (other !== id && counts(other) && this.#isIn(other, table, shown)) return false
    return this.#access.canView(table, row)
  }

  /** Whether it may be shown any row of a table. */
  #isSpokenOf(table: string): boolean {
    for (const id of this.#subscriptions.keys()) if (this.#speaksOf(id, table)) return true
    return false
  }

  #speaksOf(id: string, table: string): boolean {
    const byTable = this.#subscriptions.get(id)
    return !byTable || byTable.has(table)
  }
}

/** By path: where a withheld cell stands would tell whether it was among those that are stored. */
function inOrder(cells: ReadonlyMap<string, CellValue>): Cells {
  return Object.fromEntries([...cells].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function isGone({ op }: WireChange): number {
  return Number(op === 'delete')
}

/** A change as it travels to those who see the row before and after. */
export function wireChange({ table, key, op, after }: RowChange): WireChange {
  return op === 'delete' ? { table, key, op } : { table, key, op: op === 'insert' ? 'put' : op, after }
}

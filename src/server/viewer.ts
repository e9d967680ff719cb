import { HIDDEN, serializeValue, type Cells, type CellValue, type Key, type RowChange } from '../changes/index.ts'
import { storedRows, type RowTransition, type Store } from '../store/index.ts'
import { internals } from '../store/index.ts'
import type { WireChange, WireRow, WireSet, WireSubscription } from '../transport/index.ts'
import { isAtOrBelow, type Access } from './access.ts'
import { FilterBudget, type FilterLimits } from './filter-budget.ts'
import { Positions } from './position.ts'

/** One set of a subscription: a table, and which of its rows. */
interface RowSet {
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
    const seen = transitions.flatMap((transition) => {
      const change = this.change(transition)
      return change ? [{ change, id: `${transition.change.table}\0${transition.id}` }] : []
    })
    if (!this.#access.unrestricted) seen.sort((a, b) => isGone(a.change) - isGone(b.change) || (a.id < b.id ? -1 : 1))
    return seen.map(({ change }) => change)
  }

  /** What a change is to this viewer: a row that enters, changes, leaves, or nothing. */
  change(transition: RowTransition): WireChange | undefined {
    if (this.seesAll) return wireChange(transition.change)
    const { change, before, after } = transition
    const { table, key } = change
    const was = before !== undefined && this.sees(table, before)
    const is = after !== undefined && this.sees(table, after)
    if (was && !is) return { table, key, op: 'delete' }
    if (!is) return undefined
    if (!was) return { table, key, op: 'put', after: this.#shownCells(table, after, transition.cells) }
    if (!this.#access.withholds(table)) return wireChange(change)
    const shown = this.#shownChange(table, before, after, transition)
    return Object.keys(shown).length > 0 ? { table, key, op: 'update', after: shown } : undefined
  }

  /** The cells of a row that enters. What is withheld is named, so that it is not taken for its default. */
  #shownCells(table: string, row: object, cells: Cells): Cells {
    if (!this.#access.withholds(table)) return cells
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

  /** Every row that it sees; of one subscription, only those that no other one shows. */
  *rows(only?: string): Generator<WireRow> {
    for (const table of this.#store.tables) {
      if (only !== undefined && !this.#speaksOf(only, table)) continue
      const all = this.seesAll && only === undefined
      // In the order in which they were stored, those that came into sight later would stand among the earlier ones.
      const order = this.#access.unrestricted ? 'any' : 'key'
      for (const [key, cells] of storedRows(internals(this.#store).engine, table, order)) {
        if (!all) {
          const row = this.#store.table(table).get(key) as object
          const shown = this.#access.shown(table, row)
          if (only !== undefined && !this.#isIn(only, table, shown)) continue
          if (!this.sees(table, row)) continue
          if (only !== undefined && !this.#isOnlyIn(only, table, shown)) continue
          yield [table, key, this.#shownCells(table, row, cells)]
        } else yield [table, key, cells]
      }
    }
  }

  /** The keys of the rows that only this subscription shows. */
  *keysOnlyIn(id: string): Generator<readonly [string, Key]> {
    for (const [table, key] of this.rows(id)) yield [table, key]
  }

  #compile(sets: readonly WireSet[]): ReadonlyMap<string, readonly RowSet[]> {
    const byTable = new Map<string, RowSet[]>()
    for (const { table, where } of sets) {
      const test = this.#store.table(table).predicate(where ?? {}).test
      const known = byTable.get(table) ?? []
      known.push({ test: where ? test : undefined })
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

  #isOnlyIn(id: string, table: string, row: object): boolean {
    if (!this.#isIn(id, table, row)) return false
    for (const other of this.#subscriptions.keys()) if (other !== id && this.#isIn(other, table, row)) return false
    return true
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

import { Subject } from 'rxjs'
import type { ChangeSet, RowChange } from '../changes/index.ts'
import { Dispatcher, type RowListener } from '../triggers/index.ts'
import type { EmissionQueue } from './emission-queue.ts'
import { InsertedRow, type NetRow } from './rows/cells.ts'
import { columnsOf } from './rows/net-rows.ts'
import type { TableRows } from './rows/table-rows.ts'

/** Told of the net changes of one table; `changes` gives the same as callers see them, made for the first who asks. */
export type TableListener = (nets: readonly NetRow[], changes: () => readonly RowChange[]) => void

/** What runs while the results of live queries are brought up to date. */
interface Update {
  /** Whether the changes are those of one commit, and nothing was committed since. */
  readonly complete: boolean
  /** Once the changes of every table have been looked at. */
  readonly queries: (() => void)[]
  /** Once every result is up to date. */
  readonly tellings: (() => void)[]
}

/**
 * Tells of commits, each after the one before. First the results of live queries are brought up to date, so that whoever
 * is told of anything finds all of them so; then live queries, tables, rows and the store itself tell.
 */
export class Announcer {
  readonly changes$: Subject<ChangeSet> = new Subject()
  readonly commits$: Subject<ChangeSet> = new Subject()
  readonly dispatcher: Dispatcher
  /** Who is told of the changes of a table. */
  readonly tableChanges: ReadonlyMap<TableRows, Set<TableListener>>
  /** What keeps the live queries of a table up to date, while there are any. */
  readonly updaters: Map<TableRows, (nets: readonly NetRow[]) => void> = new Map()
  readonly #emissions: EmissionQueue
  #untold = 0
  #update: Update | undefined
  /** Changes that results don't know yet. */
  #postponed: (readonly NetRow[])[] = []
  #closed = false

  constructor(tables: readonly TableRows[], emissions: EmissionQueue) {
    this.dispatcher = new Dispatcher(tables.length)
    this.tableChanges = new Map(tables.map((rows) => [rows, new Set()]))
    this.#emissions = emissions
  }

  /** Whether the results of live queries take in all that was committed. */
  get upToDate(): boolean {
    return this.#untold === 0
  }

  /** Whether nothing has been committed since what is being told of. */
  get tellsTheLast(): boolean {
    return this.#update?.complete === true
  }

  /** Queues what a commit has to tell: what became visible, and what was committed. */
  announce(visible: readonly NetRow[], set: ChangeSet | undefined, committed: ChangeSet | undefined): void {
    if (visible.length === 0 && !committed) return
    this.#untold++
    this.#emissions.push(() => this.#tell(visible, set, committed))
  }

  /** Runs something once the changes of all tables have been looked at. */
  afterTables(run: () => void): void {
    if (this.#update) this.#update.queries.push(run)
    else this.#emissions.push(run)
  }

  /** Runs something that tells of a result, once all results are up to date. */
  onceUpdated(run: () => void): void {
    if (this.#update) this.#update.tellings.push(run)
    else run()
  }

  /** Ends all streams, and tells nothing more. */
  close(): void {
    this.#closed = true
    for (const listener of this.dispatcher.clear()) this.#emissions.guard(() => listener.end())
    this.changes$.complete()
    this.commits$.complete()
  }

  #tell(visible: readonly NetRow[], set: ChangeSet | undefined, committed: ChangeSet | undefined): void {
    if (this.#closed) return
    const byTable = placesByTable(set ? visible : none)
    this.#updateResults(set ? visible : none, byTable)
    if (set) {
      this.#tellTables(visible, byTable, set)
      this.#tellRows(visible)
      this.changes$.next(set)
    }
    if (committed) this.commits$.next(committed)
  }

  /** Where more has been committed meanwhile, results wait for it: a mixture of two commits is the result of neither. */
  #updateResults(visible: readonly NetRow[], byTable: PlacesByTable): void {
    if (this.#untold > 1) {
      this.#postponed.push(visible)
      this.#untold--
      return
    }
    const alone = this.#postponed.length === 0
    const nets = alone ? visible : [...this.#postponed, visible].flat()
    const update: Update = { complete: alone, queries: [], tellings: [] }
    if (!alone) this.#postponed = []
    this.#update = update
    if (this.updaters.size > 0)
      for (const [rows, places] of alone ? byTable : placesByTable(nets)) {
        const updater = this.updaters.get(rows)
        if (updater) this.#emissions.guard(() => updater(netsAt(nets, places)))
      }
    for (const run of update.queries) this.#emissions.guard(run)
    this.#update = undefined
    this.#untold--
    for (const net of nets) if (net instanceof InsertedRow) net.release()
    for (const run of update.tellings) this.#emissions.guard(run)
  }

  #tellTables(visible: readonly NetRow[], byTable: PlacesByTable, set: ChangeSet): void {
    for (const [rows, places] of byTable) {
      const listeners = this.tableChanges.get(rows)!
      if (listeners.size === 0) continue
      const nets = netsAt(visible, places)
      const changes = (): readonly RowChange[] => (places ? places.map((n) => set.changes[n]!) : set.changes)
      for (const listener of Array.from(listeners)) this.#emissions.guard(() => listener(nets, changes))
    }
  }

  #tellRows(visible: readonly NetRow[]): void {
    const listeners = new Set<RowListener>()
    for (const net of visible) {
      const { index } = net.rows.schema.model
      if (this.dispatcher.concerns(index, net.id))
        this.dispatcher.collect(index, net.id, net.op === 'update' ? columnsOf(net) : undefined, listeners)
    }
    for (const listener of listeners) this.#emissions.guard(() => listener.look())
  }
}

/** Where the changes of each table stand; `undefined` where all are of one table. */
type PlacesByTable = Iterable<readonly [TableRows, readonly number[] | undefined]>

const none: readonly never[] = []

function placesByTable(visible: readonly NetRow[]): PlacesByTable {
  const first = visible[0]
  if (!first) return none
  if (visible.every(({ rows }) => rows === first.rows)) return [[first.rows, undefined]]
  const byTable = new Map<TableRows, number[]>()
  for (const [n, { rows }] of visible.entries()) {
    const places = byTable.get(rows)
    if (places) places.push(n)
    else byTable.set(rows, [n])
  }
  return byTable
}

function netsAt(visible: readonly NetRow[], places: readonly number[] | undefined): readonly NetRow[] {
  return places ? places.map((n) => visible[n]!) : visible
}

import type { KeyId } from '../../changes/index.ts'
import type { RowObject } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import { columnsOf } from '../rows/net-rows.ts'
import { InsertedRow, type NetRow } from '../rows/cells.ts'
import type { TableRows } from '../rows/table-rows.ts'

/** Who keeps a result up to date: told of the changes of a table that may concern it. It tells nobody else meanwhile. */
export interface Follower {
  /** Updates of these columns, besides the rows that come and those that it holds. */
  readonly columns: ReadonlySet<number>
  /** Every change of the table, for one that does not tell which rows it holds. */
  readonly everything: boolean
  /** Whether rows that it does not hold are of interest when they go. */
  readonly deletes: boolean
  /** Whether a row that it does not hold is of interest at all; all are where this is undefined. */
  readonly passes: ((row: object) => boolean) | undefined
  changed(nets: readonly NetRow[]): void
}

/**
 * The live queries of a table by what concerns them: the columns that they read, and the rows that they show. A change
 * costs those whom it concerns, however many others there are.
 */
export class LiveIndex {
  readonly #engine: Engine
  readonly #rows: TableRows
  /** By when they began to follow: they are told in that order. */
  readonly #all = new Map<Follower, number>()
  #next = 0
  readonly #byColumn = new Map<number, Set<Follower>>()
  readonly #byRow = new Map<KeyId, Set<Follower>>()
  readonly #everything = new Set<Follower>()
  readonly #deletes = new Set<Follower>()

  constructor(engine: Engine, rows: TableRows) {
    this.#engine = engine
    this.#rows = rows
  }

  add(follower: Follower): void {
    if (this.#all.size === 0) this.#engine.announcer.updaters.set(this.#rows, this.#tell)
    this.#all.set(follower, this.#next++)
    if (follower.everything) this.#everything.add(follower)
    if (follower.deletes) this.#deletes.add(follower)
    for (const column of follower.columns) addTo(this.#byColumn, column, follower)
  }

  /** Takes a follower out. It has let go of its rows. */
  remove(follower: Follower): void {
    if (!this.#all.delete(follower)) return
    this.#everything.delete(follower)
    this.#deletes.delete(follower)
    for (const column of follower.columns) deleteFrom(this.#byColumn, column, follower)
    if (this.#all.size === 0) this.#engine.announcer.updaters.delete(this.#rows)
  }

  hold(follower: Follower, row: KeyId): void {
    addTo(this.#byRow, row, follower)
  }

  letGo(follower: Follower, row: KeyId): void {
    deleteFrom(this.#byRow, row, follower)
  }

  readonly #tell = (nets: readonly NetRow[]): void => {
    const told = new Map<Follower, NetRow[]>()
    for (const net of nets) {
      const holders = this.#byRow.get(net.id)
      let row: object | undefined
      for (const follower of this.#concerned(net, holders)) {
        if (follower.passes && net.op !== 'delete' && !holders?.has(follower)) {
          row ??= net.op === 'insert' ? insertedRow(net) : net.rows.get(net.key)
          if (!row || !follower.passes(row)) continue
        }
        const list = told.get(follower)
        if (list) list.push(net)
        else told.set(follower, [net])
      }
    }
    if (told.size === 0) return
    const followers = [...told.keys()]
    if (told.size > 1) followers.sort((a, b) => this.#all.get(a)! - this.#all.get(b)!)
    for (const follower of followers)
      if (this.#all.has(follower)) this.#engine.guard(() => follower.changed(told.get(follower)!))
  }

  #concerned(net: NetRow, holders: ReadonlySet<Follower> | undefined): Iterable<Follower> {
    if (net.op === 'insert') return this.#all.keys()
    if (net.op === 'delete') return union([this.#deletes, holders])
    const readers = columnsOf(net).map((column) => this.#byColumn.get(column))
    return union([...readers, holders, this.#everything])
  }
}

/** An inserted row from its change, which spares reading what no query shows. */
export function insertedRow(net: NetRow): RowObject {
  return net instanceof InsertedRow ? net.row : (net.rows.get(net.key) ?? {})
}

const indexes = new WeakMap<TableRows, LiveIndex>()

/** The index of a table's live queries. */
export function liveIndexOf(engine: Engine, rows: TableRows): LiveIndex {
  let index = indexes.get(rows)
  if (!index) indexes.set(rows, (index = new LiveIndex(engine, rows)))
  return index
}

function union(sets: readonly (ReadonlySet<Follower> | undefined)[]): Iterable<Follower> {
  const some = sets.filter((set) => set !== undefined && set.size > 0)
  if (some.length <= 1) return some[0] ?? []
  const all = new Set<Follower>()
  for (const set of some) for (const follower of set!) all.add(follower)
  return all
}

function addTo<Key>(map: Map<Key, Set<Follower>>, key: Key, follower: Follower): void {
  const set = map.get(key)
  if (set) set.add(follower)
  else map.set(key, new Set([follower]))
}

function deleteFrom<Key>(map: Map<Key, Set<Follower>>, key: Key, follower: Follower): void {
  const set = map.get(key)
  if (set?.delete(follower) && set.size === 0) map.delete(key)
}

import { keyId, rowIdOf, withoutHidden, type Key, type KeyId, type RowChange } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { quoteName, sameSql, type Column } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import type { CellId } from '../rows/cell-id.ts'
import type { CellChange, NetRow } from '../rows/cells.ts'
import { encodeCells, encodeChanges } from '../rows/encode-changes.ts'
import { getOrAdd } from '../get-or-add.ts'
import { byRow, groupRows } from '../rows/net-rows.ts'
import { layOver, membersOf } from '../rows/rest-members.ts'
import type { TableRows } from '../rows/table-rows.ts'
import { applyArrival } from '../apply-base.ts'
import { fillRows } from '../fill-rows.ts'
import { issuesOf, rowAfter, underneath } from './committed-rows.ts'
import type { Arrival } from './arrival.ts'
import { LayerStacks, type Intent, type RowWrite } from './layer-stacks.ts'
import { PlannedValues } from './planned-values.ts'
import { rowOf, type Layer, type LayerConflict, type RowStack } from './row-stack.ts'

/** A transaction that is committed here and not yet confirmed by the server: a layer between the base and the drafts. */
export class PendingLayer implements Layer {
  readonly id: string
  readonly label: string | undefined
  readonly stacks: Set<RowStack> = new Set()
  /** Whether it was taken out of view, because something that the server has confirmed collides with it. */
  evicted = false
  /** The rows of which others have taken something away from it, by table and key. */
  readonly lost: Set<string> = new Set()

  constructor(id: string, label: string | undefined) {
    this.id = id
    this.label = label
  }

  /** What is confirmed below it is not its business: it stays on top until the server's verdict. */
  conflict({ stack, lost }: LayerConflict): void {
    if (lost) this.lost.add(rowOf(stack))
  }

  /** Of these rows, those of which nothing is seen any more. */
  unseenOf<Row extends { readonly table: string; readonly key: Key }>(rows: readonly Row[]): Row[] {
    if (this.lost.size === 0 && !this.evicted) return []
    const held = new Set([...this.stacks].map(rowOf))
    return rows.filter((row) => {
      const id = rowIdOf(row)
      return !held.has(id) && (this.evicted || this.lost.has(id))
    })
  }

  touched(): void {
    return undefined
  }
}

/**
 * What was committed here and is not confirmed, above the confirmed base. To drafts it is all one committed state; these
 * stacks know what the base is below, so that a refused transaction falls back cell by cell, and what arrives goes
 * under what is pending. Everything costs the cells touched.
 */
export class PendingLayers {
  readonly #engine: Engine
  readonly #evicted: () => void
  readonly #isPart: boolean
  readonly #stacks: LayerStacks
  readonly #layers = new Set<PendingLayer>()

  /**
   * @param options.evicted told when a transaction goes out of view
   * @param options.isPart whether the base is a part of what the server has: then a row that goes from it may still be there
   */
  constructor(engine: Engine, options: { readonly evicted?: () => void; readonly isPart?: boolean } = {}) {
    this.#engine = engine
    this.#evicted = options.evicted ?? (() => undefined)
    this.#isPart = options.isPart ?? false
    this.#stacks = new LayerStacks((rows, key) => this.#committedOf(rows, key))
  }

  /** Takes in a transaction that has just been committed. `meant`: cells that it wrote as they were. */
  add(layer: PendingLayer, changes: readonly RowChange[], meant: readonly RowChange[] = []): void {
    this.#layers.add(layer)
    this.#stacks.record(layer, this.#nets(changes), [])
    this.#stacks.mean(layer, this.#intents(meant))
  }

  /** Whether a pending transaction holds a cell of this row: then writing what is there already means something. */
  covers(rows: TableRows, id: KeyId): boolean {
    return this.#stacks.get(rows, id) !== undefined
  }

  /** How many transactions are in view. */
  get size(): number {
    return this.#layers.size
  }

  /**
   * Takes in what the server has confirmed, and with it removes the transaction that it confirms, if one. One change
   * of what is seen, which is nothing where all was seen already.
   */
  arrive(arrivals: readonly Arrival[], confirmed?: PendingLayer): void {
    const writes = this.#resolve(arrivals)
    const plan = this.#stacks.planBase(writes, false)
    this.#stacks.changeBase(writes, false)
    if (confirmed) plan.push(...this.#drop(confirmed))
    this.#apply(merge(plan))
  }

  /**
   * Takes in what the server has confirmed where nothing lies over it, and none of these rows is here yet: much faster than
   * `arrive`. Gives `false` where that is not so, or one of them comes twice; then nothing has changed.
   */
  fillIn(arrivals: readonly Arrival[]): boolean {
    return this.#layers.size === 0 && fillRows(this.#engine, arrivals)
  }

  /** Removes a transaction that the server has refused, or that confirmed before: each cell falls back to what lies below. */
  remove(layer: PendingLayer): void {
    this.#apply(this.#drop(layer))
  }

  /** What SQLite must be made to hold to show what is confirmed, and no draft either. Nothing where nothing is pending. */
  planConfirmed(): RowWrite[] {
    if (this.#layers.size === 0) return []
    const { layers } = this.#engine
    const drafts = new Set(layers.all().flatMap((stack) => [...stack.layers()]))
    return merge([...layers.planRemovals(whole(drafts)), ...this.#stacks.planRemovals(whole(this.#layers))])
  }

  /** Whether the row is there in what the server has confirmed. */
  hasBase(rows: TableRows, key: Key): boolean {
    const id = keyId(key)
    const stack = this.#stacks.get(rows, id)
    return stack?.exists ? stack.exists.base === 1 : this.#isCommitted(rows, key, id)
  }

  /** The rows of a table that pending transactions hold anything of. */
  stacksOf(rows: TableRows): Iterable<{ readonly id: KeyId; readonly key: Key }> {
    return this.#stacks.of(rows)
  }

  /** What the server has confirmed of a row, as stored; `undefined` where it is not there. */
  baseOf(rows: TableRows, key: Key): SqlValue[] | undefined {
    if (!this.hasBase(rows, key)) return undefined
    const { model } = rows.schema
    const id = keyId(key)
    const stored = this.#committedOf(rows, key)
    for (const [n, column] of model.key.entries()) stored[column.index] = rows.keyParameters(key)[n]!
    const below = [...(this.#stacks.get(rows, id)?.cells ?? [])]
    return layOver(
      model,
      stored,
      below.map(([cell, { base }]) => [cell, base]),
    )
  }

  /** The keys of all rows of a table that the server has confirmed. */
  baseKeys(rows: TableRows): Map<KeyId, Key> {
    const keys = new Map(rows.keys().map((key) => [keyId(key), key]))
    for (const stack of this.#engine.layers.of(rows))
      if (stack.committed) keys.set(stack.id, stack.key)
      else keys.delete(stack.id)
    for (const stack of this.#stacks.of(rows)) {
      if (!stack.exists) continue
      if (stack.exists.base === 1) keys.set(stack.id, stack.key)
      else keys.delete(stack.id)
    }
    return keys
  }

  /** What is committed of a row, pending transactions included, drafts not. */
  #committedOf(rows: TableRows, key: Key): SqlValue[] {
    const draft = this.#engine.layers.get(rows, keyId(key))
    return draft ? underneath(draft, (cell) => draft.cells.get(cell)?.committed) : rows.storedOf(key)
  }

  #drop(layer: PendingLayer): RowWrite[] {
    const plan = this.#stacks.planRemoval(layer)
    this.#stacks.remove(layer)
    this.#layers.delete(layer)
    return plan
  }

  /** Makes the committed state what it is to be. Whatever pending transaction stands in the way goes out of view whole. */
  #apply(writes: readonly RowWrite[]): void {
    let plan = writes
    for (;;) {
      const layer = this.#inTheWay(plan)
      if (!layer) break
      layer.evicted = true
      this.#evicted()
      plan = merge([...plan, ...this.#drop(layer)])
    }
    if (plan.length > 0) applyArrival(this.#engine, plan)
  }

  /** A pending transaction that would break a constraint once these writes are carried out. */
  #inTheWay(writes: readonly RowWrite[]): PendingLayer | undefined {
    if (this.#layers.size === 0) return undefined
    return this.#sameUnique(writes) ?? this.#withoutParent(writes) ?? this.#invalid(writes)
  }

  /** One by which a row would not be as its schema allows: the last that has written anything of it. */
  #invalid(writes: readonly RowWrite[]): PendingLayer | undefined {
    for (const { rows, key, id, op, cells } of writes) {
      const stack = op === 'delete' ? undefined : this.#stacks.get(rows, id)
      const holders = stack?.layers()
      const holder = holders && [...this.#layers].findLast((layer) => holders.has(layer))
      if (!stack || !holder) continue
      const stored = op === 'insert' ? undefined : this.#committedOf(rows, key)
      if (issuesOf(stack, rowAfter(rows, key, stored, cells)).length > 0) return holder
    }
    return undefined
  }

  /**
   * One by which two rows would have the same unique values: the one that holds the other row's value, or the one that the
   * write's own value comes from.
   */
  #sameUnique(writes: readonly RowWrite[]): PendingLayer | undefined {
    const planned = new PlannedValues(writes, this.#engine.layers)
    for (const write of writes)
      for (const { id, columns } of planned.sameAs(write)) {
        const layer = this.#holder(write.rows, id, columns) ?? this.#holder(write.rows, write.id, columns)
        if (layer) return layer
      }
    return undefined
  }

  /**
   * One by which a row would refer to another that is not there: the one that has deleted that, or the one that the reference
   * comes from. Where the base is a part, a reference is left alone whose row may be there nevertheless.
   */
  #withoutParent(writes: readonly RowWrite[]): PendingLayer | undefined {
    const writeOf = byRow(writes)
    const going = groupRows(writes.filter(({ op }) => op === 'delete'))
    for (const child of this.#engine.rows)
      for (const { columns, table } of child.schema.model.references) {
        const parents = this.#engine.table(table)
        const isBroken = (row: Pick<RowWrite, 'rows' | 'key' | 'id'>): PendingLayer | undefined => {
          const parts = this.#valuesAfter(row, columns, writeOf(row))
          if (!parts || parts.includes(null)) return undefined
          const key = parents.keyFrom(parts)
          const id = keyId(key)
          const coming = writeOf({ rows: parents, id })
          if (coming ? coming.op !== 'delete' : this.#isCommitted(parents, key, id)) return undefined
          const isInBase = this.hasBase(parents, key)
          const hidden = isInBase && this.#stacks.get(parents, id)?.exists?.entries.at(-1)?.layer
          if (hidden) return hidden as PendingLayer
          return this.#isPart ? undefined : this.#holder(child, row.id, columns)
        }
        const changed = writes.filter(
          ({ rows, op, cells }) =>
            rows === child && (op === 'insert' || columns.some(({ index }) => cells.has(index))) && op !== 'delete',
        )
        const gone = [...(going.get(parents)?.values() ?? [])]
        const left = gone.length > 0 ? this.#referring(gone, child, columns) : []
        for (const row of [...changed, ...left]) {
          const layer = isBroken(row)
          if (layer) return layer
        }
      }
    return undefined
  }

  /**
   * The rows that may have lost what they refer to by a pending transaction: those that one holds anything of and, where
   * one has deleted what is there below, all that refer to that.
   */
  #referring(
    gone: readonly RowWrite[],
    child: TableRows,
    columns: readonly Column[],
  ): Pick<RowWrite, 'rows' | 'key' | 'id'>[] {
    const hidden = gone.filter(({ rows, id }) => this.#stacks.get(rows, id)?.exists)
    if (hidden.length === 0) return [...this.#stacks.constrained(child)]
    const where = columns.map(({ name }) => `${quoteName(name)} = ?`).join(' AND ')
    const seen = child.statement(`SELECT rowid FROM ${child.base} WHERE ${where}`)
    const rowids = hidden.flatMap(({ rows, key }) => [...seen.iterate(rows.keyParameters(key))])
    const keys = rowids.map(([rowid]) => child.keyAt(Number(rowid)))
    return [
      ...keys.map((key) => ({ rows: child, key, id: keyId(key) })),
      ...this.#stacks.constrained(child),
      ...this.#engine.layers.constrained(child),
    ]
  }

  /** What a row will have in some columns once it is written, below the drafts; `undefined` where it will not be there. */
  #valuesAfter(
    { rows, key, id }: Pick<RowWrite, 'rows' | 'key' | 'id'>,
    columns: readonly Column[],
    write: RowWrite | undefined,
  ): SqlValue[] | undefined {
    const isThere = write ? write.op !== 'delete' : this.#isCommitted(rows, key, id)
    if (!isThere) return undefined
    const stored = write?.op === 'insert' ? undefined : this.#committedOf(rows, key)
    return columns.map(({ index }) => (write?.cells.has(index) ? write.cells.get(index)! : (stored?.[index] ?? null)))
  }

  /** Who holds values of a row: the last to write one of them, or to put the row there. */
  #holder(rows: TableRows, id: KeyId, columns: readonly Column[]): PendingLayer | undefined {
    const stack = this.#stacks.get(rows, id)
    const held = columns.flatMap(({ index }) => stack?.cells.get(index)?.entries ?? [])
    return (held.at(-1) ?? stack?.exists?.entries.at(-1))?.layer as PendingLayer | undefined
  }

  #resolve(arrivals: readonly Arrival[]): RowWrite[] {
    return arrivals.flatMap((arrival): RowWrite[] => {
      const { table, key, op } = arrival
      const after = withoutHidden(arrival.after ?? {})
      const rows = this.#engine.table(table)
      const there = this.hasBase(rows, key)
      // The server has it no more for this client: it is here as it would be without a server.
      if (op === 'delete' && there && rows.emptyRow) return this.#emptied(rows, key, rows.emptyRow)
      if (!there && op !== 'put') return []
      const change: RowChange = { table, key, op: op === 'put' ? 'insert' : op, before: {}, after }
      const [write] = encodeChanges(this.#engine, [change])
      return op === 'put' && there ? this.#replaced(write!) : [write!]
    })
  }

  /** A row that is put whole where one is confirmed. */
  #replaced(write: RowWrite): RowWrite[] {
    const cells = this.#whole(write.rows, write)
    return cells.size > 0 ? [{ ...write, op: 'update', cells }] : []
  }

  #emptied(rows: TableRows, key: Key, stored: readonly SqlValue[]): RowWrite[] {
    const cells = new Map<CellId, SqlValue>()
    for (const { index, kind } of rows.schema.model.columns) if (kind !== 'rest') cells.set(index, stored[index]!)
    for (const column of rows.schema.model.key) cells.delete(column.index)
    return this.#replaced({ rows, key, id: keyId(key), op: 'insert', cells })
  }

  /** The cells in which a row that is put whole differs from the confirmed one: what it does not name is as if never set. */
  #whole(rows: TableRows, write: RowWrite): Map<CellId, SqlValue> {
    const { model } = rows.schema
    const stored = rows.storedOf(write.key)
    const members = model.rest ? membersOf(model, stored[model.rest.index]!) : new Map<string, string>()
    const drafts = this.#engine.layers.get(rows, write.id)?.cells
    const pending = this.#stacks.get(rows, write.id)?.cells
    const base = (cell: CellId): SqlValue => {
      const below = pending?.get(cell)
      if (below) return below.base
      const covered = drafts?.get(cell)
      if (covered) return covered.committed
      return typeof cell === 'number' ? stored[cell]! : (members.get(cell) ?? null)
    }
    const named: Iterable<CellId> = [
      ...model.columns
        .filter((column) => column !== model.rest && !model.key.includes(column))
        .map(({ index }) => index),
      ...members.keys(),
      ...[...write.cells.keys(), ...(drafts?.keys() ?? []), ...(pending?.keys() ?? [])].filter(
        (cell) => typeof cell === 'string',
      ),
    ]
    const cells = new Map<CellId, SqlValue>()
    for (const cell of named) {
      const value = write.cells.get(cell) ?? null
      if (!sameSql(base(cell), value)) cells.set(cell, value)
    }
    return cells
  }

  #nets(changes: readonly RowChange[]): NetRow[] {
    return encodeChanges(this.#engine, changes).map((write, n): NetRow => {
      const { rows, key, id, op } = write
      const before = op === 'insert' ? undefined : encodeCells(rows, changes[n]!, changes[n]!.before)
      const cells = new Map<CellId, CellChange>()
      for (const [cell, after] of write.cells) cells.set(cell, { before: before?.get(cell) ?? null, after })
      for (const [cell, value] of before ?? []) if (!cells.has(cell)) cells.set(cell, { before: value, after: null })
      return { rows, key, id, op, cells }
    })
  }

  #intents(meant: readonly RowChange[]): Intent[] {
    return encodeChanges(this.#engine, meant).flatMap(({ rows, key, id, cells }) =>
      [...cells].map(([cell, value]) => ({ rows, key, id, cell, value })),
    )
  }

  #isCommitted(rows: TableRows, key: Key, id: KeyId): boolean {
    const stack = this.#engine.layers.get(rows, id)
    return stack ? stack.committed : rows.rowidOf(key) !== undefined
  }
}

/** Writes of the same row made one, the later on top. */
function merge(writes: readonly RowWrite[]): RowWrite[] {
  const byRow = new Map<TableRows, Map<KeyId, RowWrite>>()
  for (const write of writes) {
    const rows = getOrAdd(byRow, write.rows, () => new Map<KeyId, RowWrite>())
    const known = rows.get(write.id)
    if (!known) rows.set(write.id, write)
    else if (write.op === 'delete') {
      if (known.op === 'insert') rows.delete(write.id)
      else rows.set(write.id, write)
    } else if (known.op === 'delete') rows.set(write.id, replacing(write))
    else rows.set(write.id, { ...known, cells: new Map([...known.cells, ...write.cells]) })
  }
  return [...byRow.values()].flatMap((rows) => [...rows.values()])
}

/** A row put where another goes: what it does not name is NULL. */
function replacing({ rows, key, id, cells }: RowWrite): RowWrite {
  const { model } = rows.schema
  const rowid = model.rest && rows.rowidOf(key)
  const members = rowid === undefined ? [] : membersOf(model, rows.stored(rowid)[model.rest!.index]!).keys()
  const others = model.columns.filter((column) => column !== model.rest && !model.key.includes(column))
  const replaced = new Map<CellId, SqlValue>(
    [...others.map(({ index }) => index), ...members].map((cell) => [cell, null]),
  )
  for (const [cell, value] of cells) if (!model.key.some(({ index }) => index === cell)) replaced.set(cell, value)
  return { rows, key, id, op: 'update', cells: replaced }
}

function whole(all: Iterable<Layer>): Map<Layer, undefined> {
  return new Map(Array.from(all, (layer) => [layer, undefined]))
}

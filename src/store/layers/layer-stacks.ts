import { keyId, type Key, type KeyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { sameSql, type Column } from '../../schema/index.ts'
import type { CellId } from '../rows/cell-id.ts'
import type { CellChange, NetRow } from '../rows/cells.ts'
import { columnsUnder, guardsOf, isThere, presenceAt } from '../rows/objects.ts'
import { getOrAdd } from '../get-or-add.ts'
import { cellOf, membersOf } from '../rows/rest-members.ts'
import type { TableRows } from '../rows/table-rows.ts'
import { nobody, ROW, type CellStack, type Layer, type StackEntry, RowStack } from './row-stack.ts'

/** A write of one row in stored values, made by the store itself: a cancel, an undo, an arrival. */
export interface RowWrite {
  readonly rows: TableRows
  readonly key: Key
  readonly id: KeyId
  readonly op: 'insert' | 'update' | 'delete'
  readonly cells: ReadonlyMap<CellId, SqlValue>
}

/** A write through the API to a cell, meant even where the value was there already. */
export interface Intent {
  readonly rows: TableRows
  readonly key: Key
  readonly id: KeyId
  readonly cell: CellId
  readonly value: SqlValue
}

/** Tells which cells of a layer are meant; `ROW` is the row itself. */
export type Some = (stack: RowStack, cell: CellId) => boolean

/**
 * Every stack of the store. The plans say what SQLite must be made to hold; the methods that change stacks are called
 * only once that has succeeded, and can't fail. Everything costs the cells touched.
 */
export class LayerStacks {
  readonly #tables = new Map<TableRows, Map<KeyId, RowStack>>()
  /** The stacks that may matter to a constraint of their table. */
  readonly #constrained = new Map<TableRows, Set<RowStack>>()
  readonly #storedOf: (rows: TableRows, key: Key) => readonly SqlValue[]
  /** Who is told when what lies below changes in a row of which they hold nothing any more. */
  readonly #watched = new Map<TableRows, Map<KeyId, Set<Layer>>>()
  /** The lists of rows that one layer alone holds: the same for all of them. */
  readonly #alone = new WeakMap<Layer, ReadonlySet<Layer>>()

  /** @param storedOf reads a row as it is seen on top of these stacks */
  constructor(storedOf: (rows: TableRows, key: Key) => readonly SqlValue[] = (rows, key) => rows.storedOf(key)) {
    this.#storedOf = storedOf
  }

  /** Whether nobody holds anything, nor wants to hear of what is committed. */
  get empty(): boolean {
    return this.#tables.size === 0 && this.#watched.size === 0
  }

  /** Tells a layer when what lies below changes in a row, of which it may hold nothing. */
  watch(layer: Layer, { rows, id }: RowStack): void {
    const table = getOrAdd(this.#watched, rows, () => new Map<KeyId, Set<Layer>>())
    getOrAdd(table, id, () => new Set<Layer>()).add(layer)
  }

  unwatch(layer: Layer): void {
    for (const [rows, table] of this.#watched) {
      for (const [id, layers] of table) if (layers.delete(layer) && layers.size === 0) table.delete(id)
      if (table.size === 0) this.#watched.delete(rows)
    }
  }

  #tellWatching({ rows, id }: { readonly rows: TableRows; readonly id: KeyId }): void {
    for (const layer of this.#watched.get(rows)?.get(id) ?? []) layer.touched()
  }

  get(rows: TableRows, id: KeyId): RowStack | undefined {
    return this.#tables.get(rows)?.get(id)
  }

  of(rows: TableRows): Iterable<RowStack> {
    return this.#tables.get(rows)?.values() ?? []
  }

  /** Those that hold anything on which a unique constraint or a reference depends: cells of these, or whether the row exists. */
  constrained(rows: TableRows): ReadonlySet<RowStack> {
    return this.#constrained.get(rows) ?? noStacks
  }

  all(): RowStack[] {
    return [...this.#tables.values()].flatMap((stacks) => [...stacks.values()])
  }

  /** Takes in what a layer's writes did to the tables. */
  record(layer: Layer, nets: readonly NetRow[], intents: readonly Intent[]): void {
    const changed = new Set<RowStack>()
    for (const net of nets) {
      const stack = this.#stack(net.rows, net.key, net.id)
      if (net.op === 'insert') this.#recordInsert(layer, stack, net)
      else if (net.op === 'delete') this.#recordDelete(layer, stack, net)
      else {
        for (const [cell, change] of net.cells) stack.cell(cell, change.before).put(layer, change.after)
        // Who puts or removes an object holds all of it.
        for (const cell of cellsAlong(stack, net.cells)) stack.cells.get(cell)!.put(layer, null)
        // A slider's second step: the row is on the lists already.
        if (layer.stacks.has(stack)) {
          layer.touched()
          continue
        }
        if (stack.listedBy === nobody && !stack.exists) {
          this.#list(stack, layer)
          continue
        }
      }
      changed.add(stack)
    }
    for (const intent of intents) {
      const stack = this.get(intent.rows, intent.id)
      const cell = stack?.cells.get(intent.cell)
      if (!stack || !cell || cell.entries.at(-1)?.layer === layer) continue
      cell.put(layer, intent.value)
      changed.add(stack)
    }
    for (const stack of changed) this.#tidy(stack)
  }

  /** Takes in cells that a layer wrote as they were, in rows of which there is a stack. */
  mean(layer: Layer, intents: readonly Intent[]): void {
    for (const { rows, id, cell, value } of intents) {
      const stack = this.get(rows, id)
      if (!stack) continue
      // Where nothing held it, it is what the base has.
      stack.cell(cell, value).put(layer, value)
      this.#tidy(stack)
    }
  }

  /** Takes in what was committed outside any draft: it takes the cells that drafts hold. */
  recordBase(nets: readonly NetRow[], intents: readonly Intent[]): void {
    const changed = new Set<RowStack>()
    for (const net of nets) {
      this.#tellWatching(net)
      const stack = this.get(net.rows, net.id)
      if (!stack) continue
      stack.disturbed = true
      if (net.op === 'delete') this.#lose(stack)
      else {
        const along = cellsAlong(stack, net.cells)
        for (const [cell, change] of net.cells) this.#take(stack, cell, change.after)
        for (const cell of along) this.#take(stack, cell, null)
        changed.add(stack)
      }
    }
    for (const intent of intents) {
      const stack = this.get(intent.rows, intent.id)
      if (!stack) continue
      this.#take(stack, intent.cell, intent.value)
      changed.add(stack)
    }
    for (const stack of changed) this.#tidy(stack)
  }

  /** What was committed, against what was committed before: where a draft covered a cell, its own value before counts. */
  committedNets(nets: readonly NetRow[], intents: readonly Intent[]): NetRow[] {
    if (this.empty) return [...nets]
    const found = new Map<RowStack, NetRow>()
    const out = nets.map((net) => {
      const stack = this.get(net.rows, net.id)
      if (!stack) return net
      const cells = new Map<CellId, CellChange>()
      for (const [cell, change] of net.cells) {
        const covered = stack.cells.get(cell)
        const before = covered ? covered.committed : change.before
        if (!sameSql(before, change.after)) cells.set(cell, { before, after: change.after })
      }
      for (const cell of cellsAlong(stack, net.cells)) {
        const { committed } = stack.cells.get(cell)!
        if (committed !== null) cells.set(cell, { before: committed, after: null })
      }
      if (net.op === 'delete')
        for (const [cell, covered] of stack.cells)
          if (!cells.has(cell) && covered.committed !== null)
            cells.set(cell, { before: covered.committed, after: null })
      const committed = { ...net, cells }
      found.set(stack, committed)
      return committed
    })
    for (const intent of intents) {
      const stack = this.get(intent.rows, intent.id)
      const cell = stack?.cells.get(intent.cell)
      if (!stack || !cell || found.get(stack)?.cells.has(intent.cell) || sameSql(cell.committed, intent.value)) continue
      const known = found.get(stack)
      if (known?.op === 'delete') continue
      const change = { before: cell.committed, after: intent.value }
      if (known) (known.cells as Map<CellId, CellChange>).set(intent.cell, change)
      else {
        const net: NetRow = {
          rows: intent.rows,
          key: intent.key,
          id: intent.id,
          op: 'update',
          cells: new Map([[intent.cell, change]]),
        }
        found.set(stack, net)
        out.push(net)
      }
    }
    return out.filter((net) => net.op !== 'update' || net.cells.size > 0)
  }

  /** The committed value of a cell as stored. */
  committedCell(rows: TableRows, key: Key, cell: CellId): SqlValue {
    const covered = this.get(rows, keyId(key))?.cells.get(cell)
    if (covered) return covered.committed
    const rowid = rows.rowidOf(key)
    return rowid === undefined ? null : rows.cellAt(rowid, cell)
  }

  /** The net change that a layer means, against what is committed below it. */
  netsOf(layer: Layer): NetRow[] {
    const nets: NetRow[] = []
    for (const stack of layer.stacks) {
      const { rows, key, id } = stack
      const exists = stack.exists?.of(layer)?.value
      const cells = new Map<CellId, CellChange>()
      for (const [cell, covered] of stack.cells) {
        const mine = covered.of(layer)
        const below = covered.committed
        if (
          exists === 1
            ? mine && mine.value !== null
            : exists === 0
              ? below !== null
              : mine && !sameSql(mine.value, below)
        )
          cells.set(cell, { before: exists === 1 ? null : below, after: exists === 0 ? null : mine!.value })
      }
      const op = exists === 1 ? 'insert' : exists === 0 ? 'delete' : 'update'
      if (op !== 'update' || cells.size > 0) nets.push({ rows, key, id, op, cells })
    }
    return nets
  }

  /** Whether a layer means anything else than what is committed below it. */
  isDirty(layer: Layer): boolean {
    for (const stack of layer.stacks) {
      if (stack.exists?.of(layer)) return true
      for (const covered of stack.cells.values()) {
        const mine = covered.of(layer)
        if (mine && !sameSql(mine.value, covered.committed)) return true
      }
    }
    return false
  }

  /** What SQLite must be made to hold when a layer goes: each cell what lies below. */
  planRemoval(layer: Layer, only?: Some): RowWrite[] {
    return this.planRemovals(new Map([[layer, only]]))
  }

  /** The same when several go at once, each whole or in part. */
  planRemovals(layers: ReadonlyMap<Layer, Some | undefined>): RowWrite[] {
    const writes: RowWrite[] = []
    for (const stack of new Set([...layers.keys()].flatMap(({ stacks }) => [...stacks]))) {
      const going = new Map(Array.from(layers, ([layer, only]) => [layer, goesFrom(layer, stack, only)]))
      const left = (covered: CellStack, cell: CellId): SqlValue =>
        covered.topBut((layer) => going.get(layer)?.(cell) ?? false)
      const now = stack.visible()
      const then = stack.exists === undefined || left(stack.exists, ROW) === 1
      const cells = new Map<CellId, SqlValue>()
      for (const [cell, covered] of stack.cells) {
        const value = left(covered, cell)
        if (!then ? false : now ? !sameSql(value, covered.top()) : value !== null) cells.set(cell, value)
      }
      const op = now === then ? 'update' : then ? 'insert' : 'delete'
      if (op !== 'update' || (now && cells.size > 0))
        writes.push({ rows: stack.rows, key: stack.key, id: stack.id, op, cells })
    }
    return writes
  }

  /** Removes a layer's entries, all of them or some. */
  remove(layer: Layer, only?: Some): void {
    for (const stack of Array.from(layer.stacks)) {
      if (!only && stack.listedBy.size === 1 && !stack.exists) {
        this.#clear(stack)
        continue
      }
      stack.disturbed = true
      const goes = goesFrom(layer, stack, only)
      for (const [cell, covered] of stack.cells) if (goes(cell)) covered.drop(layer)
      if (goes(ROW)) stack.exists?.drop(layer)
      this.#tidy(stack)
    }
  }

  /** What SQLite must be made to hold when a layer's values sink into the base: another draft's where one lies there. */
  planSinking(layer: Layer): RowWrite[] {
    const writes: RowWrite[] = []
    for (const stack of layer.stacks) {
      this.#spellOut(stack, layer)
      if (!stack.visible()) continue
      const cells = new Map<CellId, SqlValue>()
      for (const [cell, covered] of stack.cells) {
        const others = covered.entries.filter((entry) => entry.layer !== layer)
        if (covered.of(layer) && others.length > 0 && !sameSql(covered.top(), covered.top(layer)))
          cells.set(cell, covered.top(layer))
      }
      if (cells.size > 0) writes.push({ rows: stack.rows, key: stack.key, id: stack.id, op: 'update', cells })
    }
    return writes
  }

  /** Makes a layer's values the base. Drafts that hold the same cells learn of it. */
  sink(layer: Layer): void {
    for (const stack of Array.from(layer.stacks)) {
      this.#tellWatching(stack)
      const exists = stack.exists?.of(layer)
      if (exists?.value === 0) {
        stack.exists!.drop(layer)
        this.#lose(stack)
        continue
      }
      if (exists) {
        stack.exists!.base = 1
        stack.exists!.drop(layer)
      }
      for (const [cell, covered] of stack.cells) {
        const mine = covered.of(layer)
        if (!mine) continue
        covered.drop(layer)
        this.#underneath(stack, cell, covered, mine.value)
      }
      this.#tidy(stack)
    }
  }

  /**
   * What SQLite must be made to hold when the base changes below whatever is open. `take` is for the user's own writes
   * (undo), which show at once; an arrival shows where nothing covers it.
   */
  planBase(writes: readonly RowWrite[], take: boolean): RowWrite[] {
    return writes.flatMap((write): RowWrite[] => {
      const stack = this.get(write.rows, write.id)
      if (!stack) return [write]
      if (!stack.visible()) return []
      if (write.op === 'delete') return stack.exists?.entries.at(-1)?.value === 1 ? [] : [write]
      if (stack.replacing) return []
      const whole = this.whole(stack, write)
      const cells = new Map(
        [...whole].filter(([cell]) => (take ? !withinHeld(stack, cell, whole) : !isHeld(stack, cell))),
      )
      return cells.size > 0 ? [{ ...write, op: 'update', cells }] : []
    })
  }

  /** Takes a changed base in. */
  changeBase(writes: readonly RowWrite[], take: boolean): void {
    for (const write of writes) {
      this.#tellWatching(write)
      const stack = this.get(write.rows, write.id)
      if (!stack) continue
      stack.disturbed = true
      if (write.op === 'delete') {
        if (!stack.exists?.entries.some(({ value }) => value === 1)) this.#lose(stack)
        else {
          // A pending transaction has put the row there anew.
          stack.exists.base = 0
          for (const covered of stack.cells.values()) covered.base = null
        }
        continue
      }
      if (write.op === 'insert' && stack.exists) {
        stack.exists.base = 1
        // Who put the row there above nothing has nothing to add any more; who deleted it, or put it back, still has.
        while (stack.exists.entries[0]?.value === 1) stack.exists.drop(stack.exists.entries[0].layer)
      }
      const { replacing } = stack
      const whole = this.whole(stack, write)
      for (const [cell, value] of whole) {
        if (!presence(stack, cell) || stack.cells.has(cell)) continue
        if (!replacing && (!take || withinHeld(stack, cell, whole))) this.#cover(stack, cell)
        // Without it the stack would not know whether the object is there below.
        stack.cell(cell, value)
      }
      for (const [cell, value] of whole) {
        if (take && stack.visible() && !withinHeld(stack, cell, whole)) this.#take(stack, cell, value)
        else {
          // The row or object that is seen is another one, put there as a whole: nothing of the base shows through.
          if (replacing && !stack.cells.has(cell)) stack.cell(cell, null).put(replacing, null)
          else if (!stack.cells.has(cell)) this.#cover(stack, cell)
          const covered = stack.cells.get(cell) ?? (stack.visible() ? undefined : stack.cell(cell, null))
          if (covered) this.#underneath(stack, cell, covered, value)
        }
      }
      this.#tidy(stack)
    }
  }

  /**
   * What a change of the base comes to: where it puts or removes an object, the cells that stand under it and that it
   * does not name are NULL afterwards.
   */
  whole(stack: RowStack, { rows, key, cells }: RowWrite): ReadonlyMap<CellId, SqlValue> {
    const { model } = rows.schema
    let whole: Map<CellId, SqlValue> | undefined
    for (const [cell, value] of cells) {
      const guard = presence(stack, cell)
      if (!guard) continue
      whole ??= new Map(cells)
      if (!isThere(guard, value) && isHeld(stack, cell) && stack.visible()) {
        const stored = this.#storedOf(rows, key)
        for (const { index } of columnsUnder(model, guard))
          if (stored[index] !== null && !whole.has(index)) whole.set(index, null)
        for (const member of model.rest ? membersOf(model, stored[model.rest.index]!).keys() : [])
          if (!whole.has(member) && guardsOf(model, member).includes(guard)) whole.set(member, null)
      }
      for (const other of stack.cells.keys())
        if (!whole.has(other) && guardsOf(model, other).includes(guard)) whole.set(other, null)
    }
    return whole ?? cells
  }

  /** Holds a cell that changes in the base, as it is now, for every layer that holds an object around it. */
  #cover(stack: RowStack, cell: CellId): void {
    const holders = this.#holders(stack, cell)
    if (holders.size === 0) return
    const { rows, key } = stack
    const seen = stack.visible() ? cellOf(rows.schema.model, this.#storedOf(rows, key), cell) : null
    const covered = stack.cell(cell, seen)
    for (const [layer, there] of holders) covered.put(layer, there ? seen : null)
  }

  /** What others mean by holding an object, in words: each cell of it that only this layer names. It changes nothing. */
  #spellOut(stack: RowStack, layer: Layer): void {
    if (!stack.rows.hasObjects) return
    for (const [cell, covered] of stack.cells) {
      if (!covered.of(layer)) continue
      const below: StackEntry[] = []
      for (const [other, there] of this.#holders(stack, cell))
        if (other !== layer && !covered.of(other)) below.push({ layer: other, value: there ? covered.base : null })
      covered.entries.unshift(...below)
    }
  }

  /** Who holds an object around a cell, the last to write last, and whether it is there to them. */
  #holders(stack: RowStack, cell: CellId): Map<Layer, boolean> {
    const holders = new Map<Layer, boolean>()
    for (const guard of guardsOf(stack.rows.schema.model, cell).toReversed())
      for (const { layer, value } of stack.cells.get(guard.index)?.entries ?? [])
        holders.set(layer, (holders.get(layer) ?? true) && isThere(guard, value))
    return holders
  }

  /** Where an object is gone from the base, what layers hold of it is lost, unless they hold the object itself. */
  #loseOrphans(stack: RowStack): void {
    if (!stack.rows.hasObjects) return
    const { model } = stack.rows.schema
    for (const [cell, covered] of stack.cells) {
      const gone = guardsOf(model, cell).filter((guard) => {
        const below = stack.cells.get(guard.index)
        return below !== undefined && !isThere(guard, below.base)
      })
      if (gone.length === 0) continue
      const since = covered.base
      covered.base = null
      for (const entry of covered.entries.slice()) {
        const { layer, value } = entry
        if (gone.every((guard) => stack.cells.get(guard.index)!.of(layer))) continue
        covered.drop(layer)
        if (value !== null) layer.conflict({ stack, cell, mine: value, theirs: null, since, lost: true })
      }
    }
  }

  #recordInsert(layer: Layer, stack: RowStack, net: NetRow): void {
    const exists = stack.existence(0)
    for (const [cell, change] of net.cells) stack.cell(cell, null).put(layer, change.after)
    // Whoever puts the row there means all of it, also what is NULL by another layer's doing.
    for (const [cell, covered] of stack.cells) if (!net.cells.has(cell)) covered.put(layer, null)
    if (exists.top(layer) === 1) exists.drop(layer)
    else exists.put(layer, 1)
  }

  #recordDelete(layer: Layer, stack: RowStack, net: NetRow): void {
    const exists = stack.existence(1)
    const existed = exists.top(layer) === 1
    for (const [cell, change] of net.cells) stack.cell(cell, change.before)
    for (const covered of stack.cells.values()) covered.drop(layer)
    if (existed) exists.put(layer, 0)
    else exists.drop(layer)
  }

  /** The base changes where drafts lie over it: they stay visible, and learn of it. */
  #underneath(stack: RowStack, cell: CellId, covered: CellStack, theirs: SqlValue): void {
    const since = covered.base
    covered.base = theirs
    if (!sameSql(since, theirs))
      for (const { layer, value } of covered.entries)
        layer.conflict({ stack, cell, mine: value, theirs, since, lost: false })
  }

  /** The base changes and shows at once: drafts lose the cell. */
  #take(stack: RowStack, cell: CellId, value: SqlValue): void {
    const covered = stack.cells.get(cell)
    if (!covered) return
    const since = covered.base
    covered.base = value
    for (const entry of covered.entries.slice()) {
      covered.drop(entry.layer)
      entry.layer.conflict({ stack, cell, mine: entry.value, theirs: value, since, lost: true })
    }
  }

  /** The row is gone from the base: whoever held anything of it has lost it. */
  #lose(stack: RowStack): void {
    for (const [cell, covered] of stack.cells)
      for (const { layer, value } of covered.entries)
        layer.conflict({ stack, cell, mine: value, theirs: null, since: covered.base, lost: true })
    for (const { layer, value } of stack.exists?.entries ?? [])
      layer.conflict({ stack, cell: ROW, mine: value, theirs: 0, since: stack.exists!.base, lost: true })
    this.#clear(stack)
  }

  /** The first layer to hold anything of a row. */
  #list(stack: RowStack, layer: Layer): void {
    let alone = this.#alone.get(layer)
    if (!alone) this.#alone.set(layer, (alone = new Set([layer])))
    stack.listedBy = alone
    layer.stacks.add(stack)
    layer.touched()
  }

  /** Nobody holds anything of the row any more. */
  #clear(stack: RowStack): void {
    for (const layer of stack.listedBy) {
      layer.stacks.delete(stack)
      layer.touched()
    }
    stack.listedBy = nobody
    stack.cells.clear()
    stack.exists = undefined
    this.#forget(stack)
  }

  #stack(rows: TableRows, key: Key, id: KeyId): RowStack {
    let table = this.#tables.get(rows)
    if (!table) this.#tables.set(rows, (table = new Map<KeyId, RowStack>()))
    let stack = table.get(id)
    if (!stack) table.set(id, (stack = new RowStack(rows, key, id, this.#constrainedOf(rows))))
    return stack
  }

  #constrainedOf(rows: TableRows): Set<RowStack> {
    let stacks = this.#constrained.get(rows)
    if (!stacks) this.#constrained.set(rows, (stacks = new Set()))
    return stacks
  }

  /** Drops what no layer needs any more, and keeps the layers' own lists of rows right. */
  #tidy(stack: RowStack): void {
    this.#loseOrphans(stack)
    if (stack.exists && stack.exists.entries.length === 0) {
      if (stack.exists.base === 0) {
        this.#lose(stack)
        return
      }
      stack.exists = undefined
    }
    if (!stack.exists)
      for (const [cell, covered] of stack.cells) if (covered.entries.length === 0) stack.cells.delete(cell)
    const holding = stack.layers()
    if (holding.size > 1) stack.disturbed = true
    for (const layer of stack.listedBy) {
      if (!holding.has(layer)) layer.stacks.delete(stack)
      layer.touched()
    }
    for (const layer of holding) {
      layer.touched()
      layer.stacks.add(stack)
    }
    stack.listedBy = holding
    if (holding.size === 0) this.#forget(stack)
  }

  #forget(stack: RowStack): void {
    const table = this.#tables.get(stack.rows)
    table?.delete(stack.id)
    this.#constrained.get(stack.rows)?.delete(stack)
    if (table?.size === 0) this.#tables.delete(stack.rows)
  }
}

const noStacks: ReadonlySet<RowStack> = new Set()

function presence({ rows }: RowStack, cell: CellId): Column | undefined {
  return rows.hasObjects ? presenceAt(rows.schema.model, cell) : undefined
}

/** The cells of a stack under the objects that a change puts or removes, which it does not name: they are NULL after it. */
function cellsAlong(stack: RowStack, changed: ReadonlyMap<CellId, unknown>): CellId[] {
  if (!stack.rows.hasObjects) return []
  const guards = [...changed.keys()].flatMap((cell) => presence(stack, cell) ?? [])
  if (guards.length === 0) return []
  return [...stack.cells.keys()].filter(
    (cell) => !changed.has(cell) && guardsOf(stack.rows.schema.model, cell).some((guard) => guards.includes(guard)),
  )
}

/** Whether a layer holds a cell, or an object around it. */
function isHeld(stack: RowStack, cell: CellId): boolean {
  const held = (one: CellId): boolean => (stack.cells.get(one)?.entries.length ?? 0) > 0
  return held(cell) || guardsOf(stack.rows.schema.model, cell).some(({ index }) => held(index))
}

/** Whether a layer holds an object around a cell that the change at hand does not concern: then it is another object. */
function withinHeld(stack: RowStack, cell: CellId, changed: ReadonlyMap<CellId, SqlValue>): boolean {
  return guardsOf(stack.rows.schema.model, cell).some(
    ({ index }) => !changed.has(index) && (stack.cells.get(index)?.entries.length ?? 0) > 0,
  )
}

/**
 * Tells which cells go from a layer of which some are to go: an object takes its cells along. It goes itself with a cell
 * that it requires, where it is there by this layer alone, and with any cell where this layer has removed it.
 */
function goesFrom(layer: Layer, stack: RowStack, only: Some | undefined): (cell: CellId) => boolean {
  if (!only) return () => true
  const { model } = stack.rows.schema
  const objects = new Set<Column>()
  for (const [cell, covered] of stack.cells) {
    if (!covered.of(layer) || !only(stack, cell)) continue
    const itself = presence(stack, cell)
    if (itself) objects.add(itself)
    const [guard] = guardsOf(model, cell)
    const around = guard && stack.cells.get(guard.index)
    const mine = around?.of(layer)
    if (!mine) continue
    const required = typeof cell === 'number' && model.columns[cell]!.required
    if (!isThere(guard!, mine.value) || (required && !isThere(guard!, around!.base))) objects.add(guard!)
  }
  return (cell) =>
    only(stack, cell) ||
    (objects.size > 0 &&
      cell !== ROW &&
      (guardsOf(model, cell).some((guard) => objects.has(guard)) ||
        (typeof cell === 'number' && objects.has(model.columns[cell]!))))
}

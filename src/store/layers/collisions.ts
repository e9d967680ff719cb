import { keyId, type Key, type KeyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { sameSql, type Column, type Reference } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import type { CellId } from '../rows/cell-id.ts'
import { getOrAdd } from '../get-or-add.ts'
import { groupRows } from '../rows/net-rows.ts'
import { guardsOf } from '../rows/objects.ts'
import type { TableRows } from '../rows/table-rows.ts'
import { writeRows } from '../rows/write-rows.ts'
import { committedRow, issuesOf, rowAfter } from './committed-rows.ts'
import { ROW, type CellStack, type Layer, type RowStack } from './row-stack.ts'
import type { RowWrite, Some } from './layer-stacks.ts'
import { PlannedValues } from './planned-values.ts'

/** A cell of a draft that stands in the way of something that must go in. */
interface Collision {
  readonly layer: Layer
  readonly stack: RowStack
  readonly cell: CellId
  /** Whether all goes that drafts hold of the row, as it would not be valid. */
  readonly withdrawn?: boolean
}

/**
 * Makes way for writes that must go in (an arrival): drafts lose the cells whose values collide with them by a unique
 * constraint or a foreign key, all that they hold of a row that would not be valid, and list them as conflicts. A
 * transaction of its own.
 *
 * @param plan the writes, as the drafts of the moment have them
 * @param sinking the draft whose own values they are
 */
export function makeWay(engine: Engine, plan: () => readonly RowWrite[], sinking?: Layer): void {
  while (!engine.layers.empty) {
    const writes = plan()
    const found = sinking
      ? writes.flatMap((write) => invalid(engine, write, isNobodys))
      : collisionsWith(engine, writes)
    const collisions = found.filter(({ layer }) => layer !== sinking)
    if (collisions.length === 0) return
    const losses = new Losses(engine, collisions)
    engine.writeSettled(
      'a change from the server',
      () => writeRows(engine, losses.plan()),
      (visible) => {
        const [layer, ...others] = losses.take()
        const draftId = others.length === 0 ? layer!.id : undefined
        return {
          set: visible.length > 0 ? engine.changeSet(visible, { origin: 'rebase' }, draftId) : undefined,
          committed: undefined,
        }
      },
    )
  }
}

/** What a draft gives up of itself (all of it, or some), and what that takes from others. Nothing has changed yet. */
export function withdrawal(engine: Engine, layer: Layer, only?: Some): Losses {
  return new Losses(engine, [], { layer, only })
}

/** The cells that drafts lose, and with them whatever collides with what is seen then. */
class Losses {
  readonly #engine: Engine
  readonly #own: { readonly layer: Layer; readonly only: Some | undefined } | undefined
  readonly #byLayer = new Map<Layer, Map<RowStack, Set<CellId>>>()
  readonly #withdrawn = new Set<RowStack>()

  constructor(engine: Engine, collisions: readonly Collision[], own?: { layer: Layer; only: Some | undefined }) {
    this.#engine = engine
    this.#own = own
    if (own) this.#byLayer.set(own.layer, new Map())
    const isLost = (one: Collision): boolean => this.#has(one)
    let found = collisions
    do this.#add(found)
    while ((found = collisionsWith(engine, this.plan(), isLost).filter((one) => !isLost(one))).length > 0)
  }

  /** What SQLite must be made to hold. */
  plan(): RowWrite[] {
    return this.#engine.layers.planRemovals(
      new Map(Array.from(this.#byLayer.keys(), (layer) => [layer, this.#some(layer)])),
    )
  }

  /** Takes the cells from the drafts, which list what they have not given up themselves as conflicts. Gives those drafts. */
  take(): readonly Layer[] {
    const lost = [...this.#byLayer].flatMap(([layer, rows]) =>
      [...rows].flatMap(([stack, cells]) =>
        Array.from(cells, (cell) => {
          const held = cell === ROW ? stack.exists : stack.cells.get(cell)
          const [mine, theirs] = [held?.of(layer)?.value ?? null, held?.committed ?? null]
          const withdrawn = this.#withdrawn.has(stack)
          return { layer, conflict: { stack, cell, mine, theirs, since: theirs, lost: true, withdrawn } }
        }),
      ),
    )
    for (const layer of this.#byLayer.keys()) this.#engine.layers.remove(layer, this.#some(layer))
    for (const { layer, conflict } of lost) layer.conflict(conflict)
    return [...this.#byLayer.keys()]
  }

  #add(collisions: readonly Collision[]): void {
    for (const { layer, stack, cell, withdrawn } of collisions) {
      if (withdrawn) this.#withdrawn.add(stack)
      const rows = getOrAdd(this.#byLayer, layer, () => new Map<RowStack, Set<CellId>>())
      getOrAdd(rows, stack, () => new Set<CellId>()).add(cell)
    }
  }

  #has({ layer, stack, cell }: Collision): boolean {
    const some = this.#byLayer.has(layer) ? this.#some(layer) : () => false
    return !some || some(stack, cell)
  }

  /** Which cells of a layer go; `undefined` for all. */
  #some(layer: Layer): Some | undefined {
    const own = layer === this.#own?.layer ? this.#own : undefined
    if (own && !own.only) return undefined
    const rows = this.#byLayer.get(layer)
    return (stack, cell) => own?.only?.(stack, cell) || (rows?.get(stack)?.has(cell) ?? false)
  }
}

const isNobodys = (): boolean => false

/** What drafts hold that can't stay as it is once these writes are carried out. `isLost`: what they will have lost. */
function collisionsWith(
  engine: Engine,
  writes: readonly RowWrite[],
  isLost: (one: Collision) => boolean = isNobodys,
): Collision[] {
  const planned = new PlannedValues(writes)
  const found = [
    ...referring(engine, writes),
    ...writes.flatMap((write) =>
      write.op === 'delete' ? [] : [...sameUnique(engine, write, planned), ...hiddenParents(engine, write)],
    ),
  ]
  // Once the others are out of the way, a row may be valid.
  return found.some((one) => !isLost(one)) ? found : writes.flatMap((write) => invalid(engine, write, isLost))
}

/** All that drafts hold of a row that the write would leave as its schema does not allow it. */
function invalid(
  engine: Engine,
  { rows, key, id, op, cells }: RowWrite,
  isLost: (one: Collision) => boolean,
): Collision[] {
  const stack = op === 'delete' ? undefined : engine.layers.get(rows, id)
  const held = stack ? allOf(stack).filter((one) => !isLost(one)) : []
  if (!stack || held.length === 0) return []
  const rowid = op === 'insert' ? undefined : rows.rowidOf(key)
  const stored = rowid === undefined ? undefined : rows.stored(rowid)
  return issuesOf(stack, rowAfter(rows, key, stored, cells)).length > 0 ? held : []
}

/** All that drafts hold of a row. */
function allOf(stack: RowStack): Collision[] {
  const of = (cell: CellId, covered: CellStack | undefined): Collision[] =>
    (covered?.entries ?? []).map(({ layer }) => ({ layer, stack, cell, withdrawn: true }))
  return [...of(ROW, stack.exists), ...[...stack.cells].flatMap(([cell, covered]) => of(cell, covered))]
}

/** What drafts hold of rows that would have the unique values that the write brings: of the others, or else of its own. */
function sameUnique(engine: Engine, write: RowWrite, planned: PlannedValues): Collision[] {
  const { rows, id } = write
  return planned.sameAs(write).flatMap((other) => {
    const theirs = heldBy(engine, rows, other.id, other.columns)
    return theirs.length > 0 ? theirs : heldBy(engine, rows, id, other.columns)
  })
}

/** References that drafts have made to rows that go, also those that another draft hides: its cancel would show them. */
function referring(engine: Engine, writes: readonly RowWrite[]): Collision[] {
  const going = groupRows(writes.filter(({ op }) => op === 'delete'))
  if (going.size === 0) return []
  return engine.rows.flatMap((child) =>
    child.schema.model.references.flatMap(({ columns, table }) => {
      const parent = engine.table(table)
      const gone = going.get(parent)
      if (!gone) return []
      const left = [...engine.layers.constrained(child)].filter(({ id }) => !going.get(child)?.has(id))
      return left.flatMap((stack) =>
        Array.from(heldParents(stack, columns, parent, gone)).flatMap((key) =>
          entriesOf(stack, columns, parent.keyParameters(key)),
        ),
      )
    }),
  )
}

/** The keys of the parents that go of which drafts may hold a reference in these columns of a row. */
function heldParents(
  stack: RowStack,
  columns: readonly Column[],
  parent: TableRows,
  gone: ReadonlyMap<KeyId, RowWrite>,
): Iterable<Key> {
  const held = columns.flatMap((column) => stack.cells.get(column.index)?.entries ?? [])
  if (held.length === 0) return []
  if (columns.length > 1) return Array.from(gone.values(), ({ key }) => key)
  const keys = new Map<KeyId, Key>()
  for (const { value } of held) {
    if (value === null) continue
    const key = parent.keyFrom([value])
    if (gone.has(keyId(key))) keys.set(keyId(key), key)
  }
  return keys.values()
}

/** What drafts hold of these values, in a row that could come to have all of them. */
function entriesOf(stack: RowStack, columns: readonly Column[], values: readonly SqlValue[]): Collision[] {
  const { model } = stack.rows.schema
  const found = columns.flatMap((column, n) => {
    const covered = stack.cells.get(column.index)
    return (covered?.entries ?? [])
      .filter(({ value }) => sameSql(value, values[n]!))
      .flatMap(({ layer, value }): Collision[] => {
        const cells: CellId[] = [column.index]
        // Below lies the same, and is about to go: an object that the layer holds would keep it.
        if (sameSql(covered!.base, value))
          for (const { index } of guardsOf(model, column.index))
            if (stack.cells.get(index)?.of(layer)) cells.push(index)
        return cells.map((cell) => ({ layer, stack, cell }))
      })
  })
  if (found.length === 0 || columns.length === 1) return found
  const stored = committedRow(stack)
  const isOpen = columns.every(
    (column, n) => sameSql(stored[column.index]!, values[n]!) || found.some(({ cell }) => cell === column.index),
  )
  return isOpen ? found : []
}

/** Rows that a draft deleted, and that the write refers to. */
function hiddenParents(engine: Engine, write: RowWrite): Collision[] {
  return write.rows.schema.model.references.flatMap((reference) => {
    const stack = parentStack(engine, write, reference)
    if (!stack || stack.visible() || stack.exists!.base !== 1) return []
    return stack.exists!.entries.map(({ layer }) => ({ layer, stack, cell: ROW }))
  })
}

function parentStack(engine: Engine, write: RowWrite, reference: Reference): RowStack | undefined {
  const parts = reference.columns.map((column) => write.cells.get(column.index) ?? null)
  if (parts.some((part) => part === null)) return undefined
  const parent = engine.table(reference.table)
  const stored = new Array<SqlValue>(parent.schema.model.columns.length).fill(null)
  for (const [n, column] of parent.schema.model.key.entries()) stored[column.index] = parts[n]!
  return engine.layers.get(parent, keyId(parent.keyOf(stored)))
}

/**
 * What drafts hold of a row's values in a unique constraint: the row, where they have put it there and it has the value by
 * default, or can't be without one.
 */
function heldBy(engine: Engine, rows: TableRows, id: KeyId, columns: readonly Column[]): Collision[] {
  const stack = engine.layers.get(rows, id)
  if (!stack) return []
  const held = columns.flatMap((column) =>
    (stack.cells.get(column.index)?.entries ?? []).map(({ layer }): Collision => ({
      layer,
      stack,
      cell: column.index,
    })),
  )
  const added = (stack.exists?.entries ?? []).filter(({ value }) => value === 1)
  const needsAll = columns.some(({ index, required }) => required && stack.cells.get(index)?.base === null)
  return added.length > 0 && (held.length === 0 || needsAll)
    ? added.map(({ layer }) => ({ layer, stack, cell: ROW }))
    : held
}

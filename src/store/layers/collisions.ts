import { keyId, type Key, type KeyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { effectiveSql, sameSql, type Column, type IndexModel, type Reference } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import type { CellId } from '../rows/cell-id.ts'
import { groupRows } from '../rows/net-rows.ts'
import { guardsOf } from '../rows/objects.ts'
import type { TableRows } from '../rows/table-rows.ts'
import { writeRows } from '../rows/write-rows.ts'
import { committedRow } from './committed-rows.ts'
import { ROW, type Layer, type RowStack } from './row-stack.ts'
import type { RowWrite } from './layer-stacks.ts'

/** A cell of a draft that stands in the way of something that must go in. */
interface Collision {
  readonly layer: Layer
  readonly stack: RowStack
  readonly cell: CellId
}

/**
 * Makes way for writes that must go in (an arrival, a cancel): drafts lose the cells whose values collide with them by a
 * unique constraint or a foreign key, and list them as conflicts. A transaction of its own.
 */
export function makeWay(engine: Engine, writes: readonly RowWrite[], except?: Layer): void {
  if (engine.layers.empty) return
  const collisions = [
    ...referring(engine, writes),
    ...writes.flatMap((write) =>
      write.op === 'delete' ? [] : [...sameUnique(engine, write, writes), ...hiddenParents(engine, write)],
    ),
  ]
  const byLayer = new Map<Layer, Collision[]>()
  for (const collision of collisions) {
    if (collision.layer === except) continue
    const known = byLayer.get(collision.layer)
    if (known) known.push(collision)
    else byLayer.set(collision.layer, [collision])
  }
  for (const [layer, cells] of byLayer) evict(engine, layer, cells)
}

function evict(engine: Engine, layer: Layer, collisions: readonly Collision[]): void {
  const { layers } = engine
  const only = (stack: RowStack, cell: CellId): boolean =>
    collisions.some((one) => one.stack === stack && one.cell === cell)
  engine.writeSettled(
    'a change from the server',
    () => writeRows(engine, layers.planRemoval(layer, only)),
    (visible) => {
      const lost = collisions.map(({ stack, cell }) => {
        const held = cell === ROW ? stack.exists : stack.cells.get(cell)
        return { stack, cell, mine: held?.of(layer)?.value ?? null, theirs: held?.committed ?? null, lost: true }
      })
      layers.remove(layer, only)
      for (const conflict of lost) layer.conflict(conflict)
      return {
        set: visible.length > 0 ? engine.changeSet(visible, { origin: 'rebase' }, layer.id) : undefined,
        committed: undefined,
      }
    },
  )
}

/** Rows that a draft gave a unique value which the write brings too. */
function sameUnique(engine: Engine, write: RowWrite, writes: readonly RowWrite[]): Collision[] {
  return rowsInTheWay(write, writes).flatMap(({ id, columns }) => heldBy(engine, write.rows, id, columns))
}

/** Rows that are seen with a unique value which the write brings too, and that don't move out of its way themselves. */
export function rowsInTheWay(
  write: RowWrite,
  writes: readonly RowWrite[],
): { readonly id: KeyId; readonly columns: readonly Column[] }[] {
  const { rows } = write
  if (write.op === 'delete') return []
  return rows.schema.model.unique.flatMap((index) => {
    if (!index.columns.some((column) => write.cells.has(column.index))) return []
    const tuple = tupleAfter(write, index)
    if (tuple.some((value) => value === null)) return []
    const where = index.columns.map((column) => `${effectiveSql(column)} = ?`).join(' AND ')
    const found = rows.statement(`SELECT rowid FROM ${rows.base} WHERE ${where}`).get(tuple)
    if (!found) return []
    const id = keyId(rows.keyAt(Number(found[0])))
    return id === write.id || isMoving(writes, rows, id, index.columns) ? [] : [{ id, columns: index.columns }]
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

/** Whether a row is to be changed in these columns, or to go, by the same writes: it stands in nobody's way then. */
function isMoving(
  writes: readonly RowWrite[],
  rows: RowWrite['rows'],
  id: RowWrite['id'],
  columns: readonly Column[],
): boolean {
  return writes.some(
    (write) =>
      write.rows === rows &&
      write.id === id &&
      (write.op === 'delete' || columns.some((column) => write.cells.has(column.index))),
  )
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

function heldBy(engine: Engine, rows: RowWrite['rows'], id: RowWrite['id'], columns: readonly Column[]): Collision[] {
  const stack = engine.layers.get(rows, id)
  if (!stack) return []
  return columns.flatMap((column) =>
    (stack.cells.get(column.index)?.entries ?? []).map(({ layer }) => ({ layer, stack, cell: column.index })),
  )
}

function tupleAfter(write: RowWrite, index: IndexModel): SqlValue[] {
  const rowid = write.rows.rowidOf(write.key)
  return uniqueTuple(index, rowid === undefined ? undefined : write.rows.stored(rowid), write)
}

/** The values of a row in a unique constraint, with a write to it carried out. NULL is equal to nothing. */
export function uniqueTuple(index: IndexModel, stored: readonly SqlValue[] | undefined, write?: RowWrite): SqlValue[] {
  return index.columns.map((column) => {
    const value = write?.cells.has(column.index) ? write.cells.get(column.index)! : (stored?.[column.index] ?? null)
    if (value === null) return column.defaultSql
    return column.nullMark !== undefined && sameSql(value, column.nullMark) ? null : value
  })
}

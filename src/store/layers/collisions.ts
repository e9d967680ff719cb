import { keyId, type KeyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { effectiveSql, sameSql, type Column, type IndexModel, type Reference } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import type { CellId } from '../rows/cell-id.ts'
import { writeRows } from '../rows/write-rows.ts'
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
  const collisions = writes.flatMap((write) => [
    ...(write.op === 'delete'
      ? referring(engine, write, writes)
      : [...sameUnique(engine, write, writes), ...hiddenParents(engine, write)]),
  ])
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

/** Rows that a draft made refer to the row that goes. */
function referring(engine: Engine, write: RowWrite, writes: readonly RowWrite[]): Collision[] {
  return engine.rows.flatMap((child) =>
    child.schema.model.references
      .filter((reference) => reference.table === write.rows.schema.model.name)
      .flatMap((reference) => {
        const where = reference.columns.map((column) => `${effectiveSql(column)} = ?`).join(' AND ')
        const found = child
          .statement(`SELECT rowid FROM ${child.base} WHERE ${where}`)
          .all(write.rows.keyParameters(write.key))
        return found.flatMap(([rowid]) => {
          const id = keyId(child.keyAt(Number(rowid)))
          return isMoving(writes, child, id, reference.columns) ? [] : heldBy(engine, child, id, reference.columns)
        })
      }),
  )
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

import type { SqlValue } from '../../drivers/index.ts'
import { sameSql, type Column } from '../../schema/index.ts'
import type { CellId } from './cell-id.ts'
import type { CellChange, NetRow } from './cells.ts'
import type { TableRows } from './table-rows.ts'

/*
 * A value may stand in the base table under an optional object that is not there: an undo or an arrival has changed a
 * leaf whose object an open draft has removed. Nobody reads it (the view and the row objects look at the object first),
 * and it shows again once the object is back. The changes that are told have to say what is seen, not what is stored.
 */

/** Whether a stored row has a value under an object that is not there. */
export function hasHiddenCells({ schema: { model } }: TableRows, stored: readonly SqlValue[]): boolean {
  return model.columns.some(
    (column) =>
      column.guard !== undefined &&
      stored[column.index] !== null &&
      !isPresent(column.guard, (one) => stored[one.index]!),
  )
}

/**
 * A net change as it is seen: without the cells under objects that are not there, and with those that came or went with
 * their object. `current` reads a stored cell that the change does not name.
 */
export function seenNet(net: NetRow, current: (column: Column) => SqlValue): NetRow {
  if (!net.rows.hides) return net
  const { columns } = net.rows.schema.model
  const sides = (column: Column): CellChange => {
    const changed = net.cells.get(column.index)
    if (changed) return changed
    const value = current(column)
    return { before: net.op === 'insert' ? null : value, after: net.op === 'delete' ? null : value }
  }
  let cells: Map<CellId, CellChange> | undefined
  for (const column of columns) {
    const { guard } = column
    if (!guard) continue
    const stored = sides(column)
    const before = isPresent(guard, (one) => sides(one).before) ? stored.before : null
    const after = isPresent(guard, (one) => sides(one).after) ? stored.after : null
    const known = net.cells.get(column.index)
    if (known ? known.before === before && known.after === after : sameSql(before, after)) continue
    cells ??= new Map(net.cells)
    if (sameSql(before, after)) cells.delete(column.index)
    else cells.set(column.index, { before, after })
  }
  return cells ? { ...net, cells } : net
}

/** Nets as they are seen. What nobody sees is left out. */
export function seenNets(nets: readonly NetRow[], current: (net: NetRow, column: Column) => SqlValue): NetRow[] {
  return nets
    .map((net) => seenNet(net, (column) => current(net, column)))
    .filter((net) => net.op !== 'update' || net.cells.size > 0)
}

/** Whether an optional object is there, and every one around it. */
export function isPresent(guard: Column, valueOf: (column: Column) => SqlValue): boolean {
  for (let around: Column | undefined = guard; around; around = around.guard)
    if ((valueOf(around) ?? around.defaultSql) !== 1) return false
  return true
}

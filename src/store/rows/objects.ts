import { parsePath } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { isColumn, type Column, type TableModel } from '../../schema/index.ts'
import type { CellId } from './cell-id.ts'
import { membersOf } from './rest-members.ts'

/*
 * An optional object is a cell of its own, its presence column, and the cells under it stand only while it is there: where
 * it goes, they go with it. No value is ever stored under an object that is not there.
 */

/** What a presence column says: whether the object is there. It may be there by default. */
export function isThere(guard: Column, stored: SqlValue): boolean {
  return (stored ?? guard.defaultSql) === 1
}

/** The presence column that a cell is. */
export function presenceAt(model: TableModel, cell: CellId): Column | undefined {
  const column = typeof cell === 'number' ? model.columns[cell] : undefined
  return column?.kind === 'presence' ? column : undefined
}

/** The presence columns of the optional objects around a cell, the nearest first. A presence column is not around itself. */
export function guardsOf(model: TableModel, cell: CellId): readonly Column[] {
  if (typeof cell === 'number') return cell < 0 ? none : guardsOfColumn(model.columns[cell]!)
  let known = ofMembers.get(model)
  if (!known) ofMembers.set(model, (known = new Map<string, readonly Column[]>()))
  let guards = known.get(cell)
  if (!guards) {
    guards = guardsOfMember(model, cell)
    if (known.size < 10_000) known.set(cell, guards)
  }
  return guards
}

/** The columns under an optional object, nested ones and their presence included. */
export function columnsUnder(model: TableModel, guard: Column): readonly Column[] {
  let known = under.get(guard)
  if (!known) {
    known = model.columns.filter((column) => guardsOfColumn(column).includes(guard))
    under.set(guard, known)
  }
  return known
}

/** The cells of a stored row that have a value under an object that is not there. */
export function cellsWithoutObject(model: TableModel, stored: readonly SqlValue[]): CellId[] {
  const without = (cell: CellId): boolean =>
    guardsOf(model, cell).some((guard) => !isThere(guard, stored[guard.index]!))
  const columns: CellId[] = model.columns
    .filter(({ index, guard }) => guard !== undefined && stored[index] !== null && without(index))
    .map(({ index }) => index)
  const members = model.rest ? [...membersOf(model, stored[model.rest.index]!).keys()] : []
  return [...columns, ...members.filter(without)]
}

const none: readonly Column[] = []
const ofColumns = new WeakMap<Column, readonly Column[]>()
const ofMembers = new WeakMap<TableModel, Map<string, readonly Column[]>>()
const under = new WeakMap<Column, readonly Column[]>()

function guardsOfColumn(column: Column): readonly Column[] {
  if (!column.guard) return none
  let guards = ofColumns.get(column)
  if (!guards) ofColumns.set(column, (guards = [column.guard, ...guardsOfColumn(column.guard)]))
  return guards
}

function guardsOfMember(model: TableModel, path: string): readonly Column[] {
  let node = model.root
  for (const segment of parsePath(path)) {
    const child = node.properties.get(String(segment))
    if (!child || isColumn(child)) break
    node = child
  }
  return node.guard ? [node.guard, ...guardsOfColumn(node.guard)] : none
}

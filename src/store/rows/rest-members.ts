import { formatPath, parsePath, setOwn, type CellValue } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { isColumn, isObject, type ObjectNode, type RowObject, type TableModel } from '../../schema/index.ts'
import type { CellId } from './cell-id.ts'

/** The undeclared properties in the rest column, a JSON text each, by property path. */
export function membersOf(table: TableModel, rest: SqlValue): Map<string, string> {
  const members = new Map<string, string>()
  if (typeof rest !== 'string') return members
  const collect = (node: ObjectNode, object: RowObject): void => {
    for (const name of Object.keys(object)) {
      const child = node.properties.get(name)
      const value = object[name]
      if (child && !isColumn(child) && isObject(value)) collect(child, value)
      else members.set(formatPath([...node.segments, name]), JSON.stringify(value))
    }
  }
  const parsed: unknown = JSON.parse(rest)
  if (isObject(parsed)) collect(table.root, parsed)
  return members
}

/** The rest column with members set (JSON text) or removed (`null`). */
export function withMembers(table: TableModel, rest: SqlValue, members: ReadonlyMap<string, SqlValue>): SqlValue {
  const all = membersOf(table, rest)
  for (const [path, text] of members) {
    if (typeof text === 'string') all.set(path, text)
    else all.delete(path)
  }
  if (all.size === 0) return null
  const object: Record<string, CellValue> = {}
  for (const [path, text] of all) {
    const segments = parsePath(path).map(String)
    let inner: Record<string, CellValue> = object
    for (const segment of segments.slice(0, -1)) {
      if (!Object.hasOwn(inner, segment)) setOwn(inner, segment, {})
      inner = inner[segment] as Record<string, CellValue>
    }
    setOwn(inner, segments.at(-1)!, JSON.parse(text) as CellValue)
  }
  return JSON.stringify(object)
}

/** The value of a cell in a stored row. */
export function cellOf(table: TableModel, stored: readonly SqlValue[], cell: CellId): SqlValue {
  if (typeof cell === 'number') return stored[cell]!
  return table.rest ? (membersOf(table, stored[table.rest.index]!).get(cell) ?? null) : null
}

/** Lays cells over a stored row, in place. */
export function layOver(
  table: TableModel,
  stored: SqlValue[],
  cells: Iterable<readonly [CellId, SqlValue]>,
): SqlValue[] {
  const members = new Map<string, SqlValue>()
  for (const [cell, value] of cells)
    if (typeof cell === 'number') stored[cell] = value
    else members.set(cell, value)
  if (table.rest && members.size > 0) stored[table.rest.index] = withMembers(table, stored[table.rest.index]!, members)
  return stored
}

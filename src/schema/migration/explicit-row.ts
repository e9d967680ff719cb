import { HIDDEN, setOwn, type CellValue } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { isColumn, type Column, type ObjectNode } from '../model/column.ts'
import { decodeColumn, parseJson } from '../model/decode-column.ts'
import { encodeColumn, isHiddenMark, sameSql } from '../model/encode-column.ts'
import { isObject, type RowObject } from '../model/row-codec.ts'
import type { TableModel } from '../model/table-model.ts'

type Mutable = Record<string, CellValue>

/**
 * A stored row as what was set in it: a property at its default is left out, so that a changed default shows. The
 * primary key is always there, and so are the defaults of the columns in `kept`, which the new schema has none for.
 * What is hidden is `HIDDEN`. The row is the caller's to change. Throws MalformedJson.
 */
export function explicitRow(table: TableModel, stored: readonly SqlValue[], kept: ReadonlySet<Column>): Mutable {
  const row = explicitObject(table, table.root, stored, kept) ?? {}
  const rest = table.rest && stored[table.rest.index]
  if (rest !== undefined && rest !== null) mergeRest(table.root, row, parseJson(rest) as RowObject)
  return row
}

function explicitObject(
  table: TableModel,
  node: ObjectNode,
  stored: readonly SqlValue[],
  kept: ReadonlySet<Column>,
): Mutable | null | undefined {
  const present = node.presence && stored[node.presence.index]
  if (node.presence && (present === null || present === undefined)) return undefined
  if (present === 0) return null
  const row: Mutable = {}
  for (const [name, child] of node.properties) {
    const value = isColumn(child)
      ? explicitValue(table, child, stored[child.index] ?? null, kept.has(child))
      : explicitObject(table, child, stored, kept)
    if (value !== undefined) setOwn(row, name, value)
  }
  return node.presence || Object.keys(row).length > 0 ? row : undefined
}

function explicitValue(table: TableModel, column: Column, stored: SqlValue, keepsDefault: boolean): CellValue {
  if (table.key.includes(column)) return decodeColumn(column, stored)
  const isDefault = column.full
    ? column.defaultValue !== undefined && sameSql(stored, encodeColumn(column, undefined))
    : stored === null && column.defaultValue !== undefined
  if (isDefault) return keepsDefault ? structuredClone(column.defaultValue) : undefined
  // It goes along under whatever name the property has next.
  return isHiddenMark(column, stored) ? HIDDEN : decodeColumn(column, stored)
}

/** As the codec does it: what has a column wins over what lies in the rest. */
function mergeRest(node: ObjectNode, row: Mutable, rest: RowObject): void {
  for (const name of Object.keys(rest)) {
    const child = node.properties.get(name)
    const value = rest[name]
    const held = Object.hasOwn(row, name) ? row[name] : undefined
    if (child && !isColumn(child)) {
      if (!isObject(value)) continue
      if (isObject(held)) mergeRest(child, held, value)
      else if (!child.presence) {
        const inner: Mutable = {}
        mergeRest(child, inner, value)
        setOwn(row, name, inner)
      }
    } else if (held === undefined) setOwn(row, name, value)
  }
}

import { deepFreeze, setOwn, shareStructure, type CellValue } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { isColumn, type Column, type ObjectNode } from './column.ts'
import { decodeColumn } from './decode-column.ts'
import { absentValue, isObject, type RowObject } from './row-codec.ts'
import type { TableModel } from './table-model.ts'

/**
 * The row with one leaf changed, everything else shared; `undefined` where the change can't be made in place (an object
 * came or went, or the value's place depends on other columns) and the row must be read again.
 */
export function patchRow(table: TableModel, row: RowObject, column: Column, stored: SqlValue): RowObject | undefined {
  if (column.kind === 'presence' || column.kind === 'rest' || column.nullInRest || column.hidden) return undefined
  return patchAt(table.root, row, column, 0, stored)
}

function patchAt(
  node: ObjectNode,
  object: RowObject,
  column: Column,
  depth: number,
  stored: SqlValue,
): RowObject | undefined {
  const name = column.segments[depth]!
  const child = node.properties.get(name)!
  const before = Object.hasOwn(object, name) ? object[name] : undefined
  let after: CellValue
  if (isColumn(child)) {
    after = stored === null ? absentValue(child) : decodeColumn(child, stored)
    if (typeof after === 'object' && after !== null) after = deepFreeze(shareStructure(before, after))
    if (after === undefined) {
      const { [name]: _removed, ...others } = object
      return Object.freeze(others)
    }
  } else {
    if (!isObject(before)) return undefined
    after = patchAt(child, before, column, depth + 1, stored)
    if (after === undefined) return undefined
  }
  const copy: Record<string, CellValue> = { ...object }
  setOwn(copy, name, after)
  return Object.freeze(copy)
}

import { HIDDEN, setOwn, type CellValue } from '../../changes/index.ts'
import type { Column } from '../model/column.ts'
import { isObject, type RowObject } from '../model/row-codec.ts'
import type { TableModel } from '../model/table-model.ts'

/**
 * A row without what is `HIDDEN` in it, and the columns that are to be hidden for it. Where the new schema no longer
 * says that a property may be withheld, it is absent: its value is not known here.
 */
export function takeHidden(table: TableModel, row: RowObject): { row: RowObject; hidden: readonly Column[] } {
  const hidden: Column[] = []
  const without = (object: RowObject, segments: readonly string[]): RowObject => {
    const shown: Record<string, CellValue> = {}
    for (const name of Object.keys(object)) {
      const value = object[name]
      const at = [...segments, name]
      if (value === HIDDEN) {
        const column = table.restricted.find((one) => equalSegments(one.segments, at))
        if (column) hidden.push(column)
      } else setOwn(shown, name, isObject(value) ? without(value, at) : value)
    }
    return shown
  }
  return { row: without(row, []), hidden }
}

function equalSegments(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((segment, n) => segment === b[n])
}

import { type CellValue, isCellObject, isList, ownValue, type Segments } from '../changes/index.ts'

/** The value at a path of a row; `undefined` where it or what would hold it is absent. */
export function readPath(row: CellValue, segments: Segments): CellValue {
  let value = row
  for (const segment of segments) {
    if (isList(value)) value = /^\d+$/.test(String(segment)) ? value[Number(segment)] : undefined
    else if (isCellObject(value)) value = ownValue(value, String(segment))
    else return undefined
  }
  return value
}

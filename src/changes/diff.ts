import { isCellObject, isList, ownValue } from './cell-kind.ts'
import type { CellValue, RowChange } from './change-set.ts'
import { equalValues } from './equal.ts'
import { joinPath } from './path.ts'

/**
 * The paths that a row change changes, arrays and free-form objects taken apart: `['points.2.x']`. An insert or a
 * delete gives the paths of the row's cells, whole. No path is named twice, and none where nothing differs.
 */
export function pathsOf(change: RowChange): string[] {
  if (change.op === 'insert') return Object.keys(change.after)
  if (change.op === 'delete') return Object.keys(change.before)
  const { before, after } = change
  const paths: string[] = []
  for (const path of new Set([...Object.keys(before), ...Object.keys(after)])) {
    collect(ownValue(before, path), ownValue(after, path), path, paths)
  }
  return paths
}

/**
 * The paths at which two values differ, each starting with `basePath`: as deep as both sides have an array, or both an
 * object, at the same place. An element or property that only one side has gives its own path. `[]` for equal values.
 */
export function diffValues(before: CellValue, after: CellValue, basePath: string): string[] {
  const paths: string[] = []
  collect(before, after, basePath, paths)
  return paths
}

function collect(before: CellValue, after: CellValue, path: string, paths: string[]): void {
  if (before === after) return
  if (isList(before) && isList(after)) {
    const shared = Math.min(before.length, after.length)
    for (let index = 0; index < shared; index++) collect(before[index], after[index], joinPath(path, index), paths)
    const length = Math.max(before.length, after.length)
    for (let index = shared; index < length; index++) paths.push(joinPath(path, index))
  } else if (isCellObject(before) && isCellObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      collect(ownValue(before, key), ownValue(after, key), joinPath(path, key), paths)
    }
  } else if (!equalValues(before, after)) {
    paths.push(path)
  }
}

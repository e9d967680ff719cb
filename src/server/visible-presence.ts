import type { CellValue } from '../changes/index.ts'
import type { Viewer } from './viewer.ts'

/** Whether a row may be seen, or the field of it that a path names. */
type Sees = (table: string, key: CellValue, path: CellValue) => boolean

/**
 * What someone says of themselves, without the rows and fields that a viewer can't see: wherever an object names one as
 * `{ table, key }` or `{ table, key, path }` it is left out of the list or object that it stands in. Where it is all that
 * is said, nothing is: `null`.
 */
export function visiblePresence(state: CellValue, viewer: Viewer): CellValue {
  const sees: Sees = (table, key, path) => viewer.seesKey(table, key, path)
  return isHidden(state, sees) ? null : strip(state, sees)
}

/** Whether rows are named in it: otherwise everyone is shown all of it. */
export function namesRows(state: CellValue): boolean {
  let found = false
  const sees: Sees = () => {
    found = true
    return true
  }
  if (!isHidden(state, sees)) strip(state, sees)
  return found
}

function strip(value: CellValue, sees: Sees): CellValue {
  if (Array.isArray(value))
    return (value as readonly CellValue[]).filter((item) => !isHidden(item, sees)).map((item) => strip(item, sees))
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !isHidden(member, sees))
      .map(([name, member]) => [name, strip(member, sees)]),
  )
}

function isHidden(value: CellValue, sees: Sees): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { table, key, path } = value as { readonly [name: string]: CellValue }
  return typeof table === 'string' && key !== undefined && !sees(table, key, path)
}

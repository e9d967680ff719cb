import type { CellValue } from '../changes/index.ts'
import type { Viewer } from './viewer.ts'

/**
 * What someone says of themselves, without the rows that a viewer can't see: wherever an object names a row as
 * `{ table, key }` it is left out of the list or object that it stands in.
 */
export function visiblePresence(state: CellValue, viewer: Viewer): CellValue {
  return strip(state, (table, key) => viewer.seesKey(table, key))
}

/** Whether rows are named in it: otherwise everyone is shown all of it. */
export function namesRows(state: CellValue): boolean {
  let found = false
  strip(state, () => {
    found = true
    return true
  })
  return found
}

function strip(value: CellValue, sees: (table: string, key: CellValue) => boolean): CellValue {
  if (Array.isArray(value))
    return (value as readonly CellValue[]).filter((item) => !isHidden(item, sees)).map((item) => strip(item, sees))
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !isHidden(member, sees))
      .map(([name, member]) => [name, strip(member, sees)]),
  )
}

function isHidden(value: CellValue, sees: (table: string, key: CellValue) => boolean): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { table, key } = value as { readonly [name: string]: CellValue }
  return typeof table === 'string' && key !== undefined && !sees(table, key)
}

import { isBytes, isCellObject, isList, ownValue } from './cell-kind.ts'
import type { CellObject } from './cell-kind.ts'
import type { CellValue } from './change-set.ts'
import { HIDDEN } from './hidden.ts'

/**
 * Whether two cells hold the same value. Binary is compared by its bytes, NaN equals NaN and -0 equals 0, a bigint
 * never equals a number. In objects only own properties count, in any order, and an undefined one equals an absent one.
 */
export function equalValues(a: CellValue, b: CellValue): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a !== a && b !== b
  if (a === HIDDEN || b === HIDDEN) return false
  if (isList(a)) return isList(b) && equalLists(a, b)
  if (isBytes(a)) return isBytes(b) && equalBytes(a, b)
  return isCellObject(b) && isCellObject(a) && equalObjects(a, b)
}

function equalLists(a: readonly CellValue[], b: readonly CellValue[]): boolean {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) {
    if (!equalValues(a[index], b[index])) return false
  }
  return true
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) {
    if (a[index] !== b[index]) return false
  }
  return true
}

function equalObjects(a: CellObject, b: CellObject): boolean {
  for (const key of Object.keys(a)) {
    if (!equalValues(a[key], ownValue(b, key))) return false
  }
  for (const key of Object.keys(b)) {
    if (b[key] !== undefined && !Object.hasOwn(a, key)) return false
  }
  return true
}

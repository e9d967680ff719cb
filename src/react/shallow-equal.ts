import { type CellValue, isList, isPlainObject } from '../changes/index.ts'

type Members = { readonly [name: string]: unknown }

/** Whether two values are the same, or arrays or plain objects of the same members. */
export function shallowEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (!(isPlainObject(a) && isPlainObject(b)) && !(isList(a as CellValue) && isList(b as CellValue))) return false
  const [one, other] = [a, b] as [Members, Members]
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && Object.is(one[name], other[name]))
  )
}

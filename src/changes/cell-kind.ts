import type { CellValue } from './change-set.ts'

/** A free-form object in a cell. */
export type CellObject = { readonly [key: string]: CellValue }

/** Whether a value is binary. Holds for arrays made in another realm (a frame, a test's DOM) too. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value)
}

/** Whether a value is an array of cell values. */
export function isList(value: CellValue): value is readonly CellValue[] {
  return Array.isArray(value)
}

/** Whether a value is a free-form object: neither null nor an array nor binary. */
export function isCellObject(value: CellValue): value is CellObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

/** Whether a value is an object as a literal or `JSON.parse` makes it, not an instance of a class. */
export function isPlainObject(value: unknown): value is { readonly [key: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isBytes(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The value of an own property; `undefined` where there is none, also for `toString` and `__proto__`. */
export function ownValue(object: CellObject, key: string): CellValue {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** Sets an own property. An assignment to `__proto__` would set the prototype instead. */
export function setOwn<Value>(object: { [key: string]: Value }, key: string, value: Value): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  } else {
    object[key] = value
  }
}

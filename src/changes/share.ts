import { isBytes, isCellObject, isList, ownValue, setOwn } from './cell-kind.ts'
import type { CellObject } from './cell-kind.ts'
import type { CellValue } from './change-set.ts'
import { equalValues } from './equal.ts'

/**
 * `next`, in which every object and array that equals the one at the same key or index of `previous` is replaced by
 * that one; `previous` itself if all is equal. So what did not change stays the same object.
 *
 * Neither argument is changed: where something is replaced, a copy comes back, frozen if what it copies was frozen.
 */
export function shareStructure<Value extends CellValue>(previous: CellValue, next: Value): Value
export function shareStructure(previous: CellValue, next: CellValue): CellValue {
  if (previous === next) return previous
  if (isList(next)) return isList(previous) ? shareList(previous, next) : next
  if (isCellObject(next)) return isCellObject(previous) ? shareObject(previous, next) : next
  return equalValues(previous, next) ? previous : next
}

/**
 * Freezes a value with all that is in it, and returns it. Binary is left as it is: typed arrays can't be frozen. What
 * is frozen already is walked too, since that says nothing about what it holds.
 */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || isBytes(value)) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}

function shareList(previous: readonly CellValue[], next: readonly CellValue[]): readonly CellValue[] {
  let same = previous.length === next.length
  let copy: CellValue[] | undefined
  for (let index = 0; index < next.length; index++) {
    const shared = index < previous.length ? shareStructure(previous[index], next[index]) : next[index]
    if (!Object.is(shared, previous[index])) same = false
    if (!Object.is(shared, next[index])) {
      copy ??= [...next]
      copy[index] = shared
    }
  }
  return same ? previous : likeOriginal(copy, next)
}

function shareObject(previous: CellObject, next: CellObject): CellObject {
  let same = true
  let copy: { [key: string]: CellValue } | undefined
  for (const key of Object.keys(next)) {
    const before = ownValue(previous, key)
    const shared = shareStructure(before, next[key])
    if (!Object.is(shared, before)) same = false
    if (!Object.is(shared, next[key])) {
      copy ??= { ...next }
      setOwn(copy, key, shared)
    }
  }
  if (same) same = Object.keys(previous).every((key) => previous[key] === undefined || Object.hasOwn(next, key))
  return same ? previous : likeOriginal(copy, next)
}

function likeOriginal<Value extends object>(copy: Value | undefined, original: Value): Value {
  if (copy === undefined) return original
  return Object.isFrozen(original) ? Object.freeze(copy) : copy
}

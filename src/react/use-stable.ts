import { useRef } from 'react'
import { type CellValue, equalValues } from '../changes/index.ts'

/* oxlint-disable react/refs -- what is kept always equals the argument */

/**
 * The first of equal values: an inline key, path, filter or query keeps its identity between renders. What it returns
 * always equals the argument, so a render that React throws away leaves nothing wrong behind.
 */
export function useStable<Value>(value: Value): Value {
  const held = useRef(value)
  if (held.current !== value && !equalValues(held.current as CellValue, value as CellValue)) held.current = value
  return held.current
}

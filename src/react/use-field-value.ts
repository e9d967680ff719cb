import { useMemo } from 'react'
import type { CellValue } from '../changes/index.ts'
import type { WritableField } from './bound-field.ts'
import { useSource } from './use-source.ts'

/** Writes a value, or what a function makes of the value now. Throws what the store refuses; nothing is changed then. */
export type SetField<Value, Input> = (next: Input | ((value: Value) => Input)) => void

/** A field's value and its setter. */
export function useFieldValue({ field, write }: WritableField): [CellValue, SetField<CellValue, CellValue>] {
  const value = useSource(field.value)
  const set = useMemo(
    () => (next: CellValue | ((value: CellValue) => CellValue)) =>
      write(typeof next === 'function' ? next(field.value.get()) : next),
    [field, write],
  )
  return [value, set]
}

import type { Path } from '../changes/index.ts'
import type { CheckPathOf, InputOf, KeyOf, PathOf, SchemaInput, TableName, ValueOf } from '../schema/index.ts'
import { useBoundField } from './bound-field.ts'
import type { ScopeContext } from './scope.ts'
import { type SetField, useFieldValue } from './use-field-value.ts'

/** The value at a path and a setter that stays the same; renders again when that value has changed. */
export type UseField<S extends SchemaInput> = <T extends TableName<S>, const P extends PathOf<S, T>>(
  table: T,
  key: KeyOf<S, T> | null | undefined,
  path: P & CheckPathOf<S, T, P>,
) => [value: ValueOf<S, T, P> | undefined, set: SetField<ValueOf<S, T, P> | undefined, InputOf<S, T, P>>]

/** Makes the `useField` of a context. */
export function createUseField<S extends SchemaInput>(context: ScopeContext<S>): UseField<S> {
  function useField(table: string, key: unknown, path: Path): [unknown, unknown] {
    return useFieldValue(useBoundField(context, table, key, path))
  }
  return useField as UseField<S>
}

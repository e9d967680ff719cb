import type { Path } from '../changes/index.ts'
import type { CheckPathOf, InputOf, PathOf, SchemaInput, SingletonName, ValueOf } from '../schema/index.ts'
import { useBoundField } from './bound-field.ts'
import { SINGLETON } from './row-at.ts'
import type { ScopeContext } from './scope.ts'
import { type SetField, useFieldValue } from './use-field-value.ts'

/** `useField` of a singleton. */
export type UseValueField<S extends SchemaInput> = <T extends SingletonName<S>, const P extends PathOf<S, T>>(
  name: T,
  path: P & CheckPathOf<S, T, P>,
) => [value: ValueOf<S, T, P> | undefined, set: SetField<ValueOf<S, T, P> | undefined, InputOf<S, T, P>>]

/** Makes the `useValueField` of a context. */
export function createUseValueField<S extends SchemaInput>(context: ScopeContext<S>): UseValueField<S> {
  function useValueField(name: string, path: Path): [unknown, unknown] {
    return useFieldValue(useBoundField(context, name, SINGLETON, path))
  }
  return useValueField as UseValueField<S>
}

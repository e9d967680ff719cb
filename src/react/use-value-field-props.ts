import type { Path } from '../changes/index.ts'
import type { CheckPathOf, PathOf, SchemaInput, SingletonName } from '../schema/index.ts'
import { useBoundField } from './bound-field.ts'
import type { FieldProps } from './form/field-props.ts'
import { type FieldPropsOptions, useBoundProps } from './form/use-bound-props.ts'
import { SINGLETON } from './row-at.ts'
import type { ScopeContext } from './scope.ts'

/** `useFieldProps` of a singleton. */
export type UseValueFieldProps<S extends SchemaInput> = <T extends SingletonName<S>, const P extends PathOf<S, T>>(
  name: T,
  path: P & CheckPathOf<S, T, P>,
  options?: FieldPropsOptions,
) => FieldProps

/** Makes the `useValueFieldProps` of a context. */
export function createUseValueFieldProps<S extends SchemaInput>(context: ScopeContext<S>): UseValueFieldProps<S> {
  function useValueFieldProps(name: string, path: Path, options?: FieldPropsOptions): FieldProps {
    return useBoundProps(context, useBoundField(context, name, SINGLETON, path), options)
  }
  return useValueFieldProps
}

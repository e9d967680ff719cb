import type { Path } from '../changes/index.ts'
import type { CheckPathOf, KeyOf, PathOf, SchemaInput, TableName } from '../schema/index.ts'
import { useBoundField } from './bound-field.ts'
import type { FieldProps } from './form/field-props.ts'
import { type FieldPropsOptions, useBoundProps } from './form/use-bound-props.ts'
import type { ScopeContext } from './scope.ts'

/** The props of a form control bound to a property of a row: `<input {...useFieldProps('label', id, 'text')} />`. */
export type UseFieldProps<S extends SchemaInput> = <T extends TableName<S>, const P extends PathOf<S, T>>(
  table: T,
  key: KeyOf<S, T> | null | undefined,
  path: P & CheckPathOf<S, T, P>,
  options?: FieldPropsOptions,
) => FieldProps

/** Makes the `useFieldProps` of a context. */
export function createUseFieldProps<S extends SchemaInput>(context: ScopeContext<S>): UseFieldProps<S> {
  function useFieldProps(table: string, key: unknown, path: Path, options?: FieldPropsOptions): FieldProps {
    return useBoundProps(context, useBoundField(context, table, key, path), options)
  }
  return useFieldProps
}

import { useEffect, useMemo } from 'react'
import { parsePath } from '../../changes/index.ts'
import type { SchemaInput } from '../../schema/index.ts'
import type { WritableField } from '../bound-field.ts'
import { type ScopeContext, useScope } from '../scope.ts'
import { useSource } from '../use-source.ts'
import { type ErrorMessages, worded } from './field-error.ts'
import { fieldHandlers } from './field-handlers.ts'
import { type FieldProps, toFieldProps } from './field-props.ts'
import { type FieldOption, fieldSchema, type FieldSchema, optionText } from './field-schema.ts'
import { heldText } from './held-text.ts'
import { useErrorMessages } from './use-error-messages.ts'
import { whenCancelled } from './when-cancelled.ts'

/** What `useFieldProps` and `useValueFieldProps` may be told besides the place. */
export interface FieldPropsOptions {
  /** The texts of errors. What it leaves out is that of the StoreProvider's `errorMessages`, else in English. */
  readonly errorMessages?: ErrorMessages | undefined
}

/**
 * Binds a form control. What is typed is written at once where the store accepts it. A text that the store would show
 * differently stays as it was typed until the field is left; one that it refuses stays with its error, also after that.
 * When the store's value changes from elsewhere, the field shows it: at once, except over a refused text that is being
 * edited, which is nowhere but in the field. When the draft is cancelled that it writes through, and on Escape, the field
 * shows what the store has.
 */
export function useBoundProps<S extends SchemaInput>(
  context: ScopeContext<S>,
  { field, workspace, write }: WritableField,
  options: FieldPropsOptions | undefined,
): FieldProps {
  const { store } = useScope(context)
  const messages = useErrorMessages()
  const table = store.schema.tables.get(field.table)
  const schema = useMemo(() => fieldSchema(table, parsePath(field.path)), [table, field.path])
  const source = useMemo(() => heldText(field.value), [field])
  const stored = useSource(field.value)
  const exists = useSource(field.exists)
  const held = useSource(source)
  useEffect(() => whenCancelled(workspace, source.drop), [workspace, source])

  // Made anew with each draft: what was committed or cancelled is no longer to be given up.
  const handlers = useMemo(() => fieldHandlers({ field, write, schema, source }), [field, source, schema, write])

  const isBinary = schema.kind === 'binary'
  const text = held?.text ?? (isBinary ? '' : optionText(stored))
  const errors = (held?.errors ?? []).map((error) => worded(error, options?.errorMessages, messages))
  const isRefused = errors.length > 0
  return toFieldProps({
    name: field.path,
    ...schema.attributes,
    ...(schema.kind === 'boolean' ? { checked: text === 'true' } : { value: text }),
    disabled: !exists || store.readOnly || isBinary || undefined,
    'aria-invalid': isRefused || undefined,
    ...handlers,
    error: isRefused ? errors.map(({ message }) => message).join('; ') : undefined,
    errors,
    isAbsent: held === undefined && (stored === undefined || stored === null),
    options: optionsFor(schema, text),
  })
}

const ABSENT_OPTION: FieldOption = { value: '', label: '' }

/** Without an option for the empty text a `<select>` would show the first one as if it were chosen. */
function optionsFor({ options, isOptional }: FieldSchema, text: string): readonly FieldOption[] | undefined {
  if (!options || !(isOptional || text === '') || options.some(({ value }) => value === '')) return options
  return [ABSENT_OPTION, ...options]
}

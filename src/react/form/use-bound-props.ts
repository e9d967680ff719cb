import { useMemo } from 'react'
import { parsePath } from '../../changes/index.ts'
import { ConstraintError, ValidationError } from '../../errors/index.ts'
import type { SchemaInput } from '../../schema/index.ts'
import type { WritableField } from '../bound-field.ts'
import { type ScopeContext, useScope } from '../scope.ts'
import { useSource } from '../use-source.ts'
import { type FieldChangeEvent, type FieldProps, toFieldProps } from './field-props.ts'
import { fieldSchema, optionText } from './field-schema.ts'
import { heldText } from './held-text.ts'
import { parseText } from './parse-text.ts'

/**
 * Binds a form control. What is typed is written at once where the store accepts it. A text that the store would show
 * differently stays as it was typed until the field is left; one that it refuses stays with its error, also after that.
 * When the store's value changes from elsewhere, the field shows it: at once, except over a refused text that is being
 * edited, which is nowhere but in the field.
 */
export function useBoundProps<S extends SchemaInput>(
  context: ScopeContext<S>,
  { field, write }: WritableField,
): FieldProps {
  const { store } = useScope(context)
  const table = store.schema.tables.get(field.table)
  const schema = useMemo(() => fieldSchema(table, parsePath(field.path)), [table, field.path])
  const source = useMemo(() => heldText(field.value), [field])
  const stored = useSource(field.value)
  const exists = useSource(field.exists)
  const held = useSource(source)

  const handlers = useMemo(() => {
    function onChange({ target }: FieldChangeEvent): void {
      const text = schema.kind === 'boolean' ? String(target.checked === true) : target.value
      let error: string | undefined
      try {
        if (target.validity?.badInput === true) throw new SyntaxError('is incomplete')
        write(parseText(schema, text))
      } catch (thrown) {
        error = refusal(thrown)
      }
      const stored = field.value.get()
      const isRefused = error !== undefined
      source.hold(isRefused || optionText(stored) !== text ? { text, stored, error, stays: isRefused } : undefined)
    }
    function onBlur(): void {
      const was = source.get()
      source.hold(was?.error === undefined ? undefined : { ...was, stored: field.value.get(), stays: false })
    }
    return { onChange, onBlur }
  }, [field, source, schema, write])

  const isBinary = schema.kind === 'binary'
  const text = held?.text ?? (isBinary ? '' : optionText(stored))
  const error = held?.error
  return toFieldProps({
    name: field.path,
    ...schema.attributes,
    ...(schema.kind === 'boolean' ? { checked: text === 'true' } : { value: text }),
    disabled: !exists || store.readOnly || isBinary || undefined,
    'aria-invalid': error !== undefined || undefined,
    ...handlers,
    error,
    options: schema.options,
  })
}

/** Why a text is refused. What is not about the text is thrown on. */
function refusal(error: unknown): string {
  if (error instanceof ValidationError) return error.issues.map(({ message }) => message).join('; ')
  if (error instanceof ConstraintError || error instanceof SyntaxError) return error.message
  throw error
}

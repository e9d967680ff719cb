import { useEffect, useMemo, useState } from 'react'
import { type CellValue, equalValues, parsePath } from '../../changes/index.ts'
import { ConstraintError, ValidationError } from '../../errors/index.ts'
import type { SchemaInput } from '../../schema/index.ts'
import type { WritableField } from '../bound-field.ts'
import { type ScopeContext, useScope } from '../scope.ts'
import { constantSource } from '../source.ts'
import { useSource } from '../use-source.ts'
import { type FieldChangeEvent, type FieldProps, toFieldProps } from './field-props.ts'
import { fieldSchema, optionText } from './field-schema.ts'
import { parseText } from './parse-text.ts'

/** A text that differs from the one the store's value would give: `1.`, or one that the store has refused. */
interface Pending {
  readonly of: object
  readonly text: string
  /** The store's value when this was typed. */
  readonly stored: CellValue
  readonly error: string | undefined
  readonly editing: boolean
}

const EXISTS = constantSource(true)

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
  const { table, path } = field
  const root = store.schema.definition.tables[table]?.schema
  const schema = useMemo(() => fieldSchema(root ?? {}, parsePath(path)), [root, path])
  const stored = useSource(field.value)
  const exists = useSource(stored === undefined ? field.exists : EXISTS)
  const [held, hold] = useState<Pending>()
  const pending = held !== undefined && standsOver(held, field, stored) ? held : undefined
  const outdated = held !== undefined && pending === undefined
  // Dropped for good, or it would come back together with the value that it was typed over. Not while rendering: React
  // 18's useSyncExternalStore then misses the next change.
  useEffect(() => {
    if (outdated) hold((was) => (was === held ? undefined : was))
  }, [outdated, held])

  const handlers = useMemo(() => {
    function onChange({ target }: FieldChangeEvent): void {
      const text = schema.kind === 'boolean' ? String(target.checked === true) : target.value
      const parsed = target.validity?.badInput === true ? { error: 'is incomplete' } : parseText(schema, text)
      const error = 'error' in parsed ? parsed.error : refusal(() => write(parsed.value))
      const now = field.value.get()
      const differs = error !== undefined || optionText(now) !== text
      hold(differs ? { of: field, text, stored: now, error, editing: true } : undefined)
    }
    function onBlur(): void {
      hold((was) => (was?.error === undefined ? undefined : { ...was, stored: field.value.get(), editing: false }))
    }
    return { onChange, onBlur }
  }, [field, schema, write])

  const text = pending?.text ?? (schema.kind === 'binary' ? '' : optionText(stored))
  return toFieldProps(
    {
      name: path,
      ...schema.attributes,
      ...(schema.kind === 'boolean' ? { checked: text === 'true' } : { value: text }),
      ...(!exists || store.readOnly || schema.kind === 'binary' ? { disabled: true } : {}),
      ...(pending?.error === undefined ? {} : { 'aria-invalid': true }),
      ...handlers,
    },
    pending?.error,
    schema.options,
  )
}

function standsOver(pending: Pending, field: object, stored: CellValue): boolean {
  if (pending.of !== field) return false
  return (pending.error !== undefined && pending.editing) || equalValues(pending.stored, stored)
}

/** Why the store refuses a write, if it does. What is not about the value is thrown. */
function refusal(write: () => void): string | undefined {
  try {
    write()
    return undefined
  } catch (error) {
    if (error instanceof ValidationError) return error.issues.map(({ message }) => message).join('; ')
    if (error instanceof ConstraintError) return error.message
    throw error
  }
}

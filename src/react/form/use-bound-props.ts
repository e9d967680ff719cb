import { useEffect, useMemo } from 'react'
import { type CellValue, equalValues, parsePath } from '../../changes/index.ts'
import type { SchemaInput } from '../../schema/index.ts'
import type { WritableField } from '../bound-field.ts'
import { type ScopeContext, useScope } from '../scope.ts'
import { useSource } from '../use-source.ts'
import { type ErrorMessages, type FieldError, refusals, worded } from './field-error.ts'
import { type FieldChangeEvent, type FieldKeyEvent, type FieldProps, toFieldProps } from './field-props.ts'
import { type FieldOption, fieldSchema, type FieldSchema, optionText } from './field-schema.ts'
import { heldText } from './held-text.ts'
import { parseText } from './parse-text.ts'
import { TextError } from './text-error.ts'
import { useErrorMessages } from './use-error-messages.ts'
import { whenCancelled } from './when-cancelled.ts'

/** What `useFieldProps` and `useValueFieldProps` may be told besides the place. */
export interface FieldPropsOptions {
  /** The texts of errors. What it leaves out is that of the StoreProvider's `errorMessages`, else in English. */
  readonly errorMessages?: ErrorMessages | undefined
}

/** What was changed in a field since it was entered: the value from before, and the one that was written last. */
interface Edit {
  readonly before: CellValue
  readonly last: CellValue
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
  const handlers = useMemo(() => {
    let edit: Edit | undefined

    function attempt(work: () => void): readonly FieldError[] {
      try {
        work()
        return []
      } catch (thrown) {
        return refusals(thrown, field.path)
      }
    }
    function show(text: string, errors: readonly FieldError[], clear?: () => void): void {
      const stored = field.value.get()
      const isRefused = errors.length > 0
      const isHeld = isRefused || optionText(stored) !== text
      source.hold(isHeld ? { text, stored, errors, stays: isRefused, clear } : undefined)
    }
    /** Whether there was something. */
    function giveUp(): boolean {
      const now = field.value.get()
      const wasHeld = source.get() !== undefined
      const before = edit && equalValues(edit.last, now) && !equalValues(edit.before, now) ? edit : undefined
      edit = undefined
      source.drop()
      if (before) {
        const errors = attempt(() => write(before.before))
        if (errors.length > 0) show(optionText(before.before), errors)
      }
      return wasHeld || before !== undefined
    }

    function onChange({ target }: FieldChangeEvent): void {
      const text = schema.kind === 'boolean' ? String(target.checked === true) : target.value
      const isIncomplete = target.validity?.badInput === true
      const now = field.value.get()
      const before = edit && equalValues(edit.last, now) ? edit.before : now
      const errors = attempt(() => {
        if (isIncomplete) throw new TextError('badInput', {}, 'is incomplete')
        write(parseText(schema, text))
      })
      edit = { before, last: field.value.get() }
      show(text, errors, isIncomplete ? () => (target.value = '') : undefined)
    }
    function onBlur(): void {
      edit = undefined
      const was = source.get()
      const isRefused = was !== undefined && was.errors.length > 0
      source.hold(isRefused ? { ...was, stored: field.value.get(), stays: false } : undefined)
    }
    function onKeyDown(event: FieldKeyEvent): void {
      // While a text is composed, the key is for the keyboard's own window.
      if (event.key !== 'Escape' || event.nativeEvent?.isComposing === true || !giveUp()) return
      event.preventDefault()
      event.stopPropagation()
    }
    return { onChange, onBlur, onKeyDown }
  }, [field, source, schema, write])

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

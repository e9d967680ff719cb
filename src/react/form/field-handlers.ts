import { type CellValue, equalValues } from '../../changes/index.ts'
import type { WritableField } from '../bound-field.ts'
import { type FieldError, refusals } from './field-error.ts'
import type { FieldChangeEvent, FieldKeyEvent, FieldProps } from './field-props.ts'
import { type FieldSchema, optionText } from './field-schema.ts'
import type { HeldSource } from './held-text.ts'
import { parseText } from './parse-text.ts'
import { TextError } from './text-error.ts'

/** What was changed in a field since it was entered: the value from before, and the one that was written last. */
interface Edit {
  /** Where they are: at the property, or at the object around it that the first write has made. */
  readonly path: string
  readonly before: CellValue
  readonly last: CellValue
}

/** What a form control tells its field: of its changes, that it is left, of keys. */
export function fieldHandlers({
  field,
  write,
  schema,
  source,
}: Pick<WritableField, 'field' | 'write'> & {
  readonly schema: FieldSchema
  readonly source: HeldSource
}): Pick<FieldProps, 'onChange' | 'onBlur' | 'onKeyDown'> {
  let edit: Edit | undefined

  /** Why it is refused, if it is. */
  function attempt(work: () => void): readonly FieldError[] {
    try {
      work()
      return []
    } catch (thrown) {
      return refusals(thrown, field.path)
    }
  }

  /** Whether nobody has written since. */
  function isLast({ path, last }: Edit): boolean {
    return equalValues(last, field.valueAt(path))
  }

  function show(text: string, errors: readonly FieldError[], clear?: () => void): void {
    const stored = field.value.get()
    const isRefused = errors.length > 0
    const isHeld = isRefused || optionText(stored) !== text
    source.hold(isHeld ? { text, stored, errors, stays: isRefused, clear } : undefined)
  }

  /** Gives up the text, and what was written of it unless someone has written since. Whether there was something. */
  function giveUp(): boolean {
    const wasHeld = source.get() !== undefined
    const written = edit && isLast(edit) && !equalValues(edit.before, edit.last) ? edit : undefined
    edit = undefined
    source.drop()
    if (written) {
      const errors = attempt(() => write(written.before, written.path))
      if (errors.length > 0) show(written.path === field.path ? optionText(written.before) : '', errors)
    }
    return wasHeld || written !== undefined
  }

  function onChange({ target }: FieldChangeEvent): void {
    const text = schema.kind === 'boolean' && isCheckbox(target) ? String(target.checked) : target.value
    const isIncomplete = target.validity?.badInput === true
    const path = edit && isLast(edit) ? edit.path : field.outermostAbsent()
    const before = edit && isLast(edit) ? edit.before : field.valueAt(path)
    const errors = attempt(() => {
      if (isIncomplete) throw new TextError('badInput', {}, 'is incomplete')
      write(parseText(schema, text))
    })
    edit = { path, before, last: field.valueAt(path) }
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
}

/** A `<select>` has no `checked`, and of a radio button it is true whatever it stands for. */
function isCheckbox({ type, checked }: FieldChangeEvent['target']): boolean {
  return checked !== undefined && type !== 'radio'
}

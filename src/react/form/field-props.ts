import type { FieldError } from './field-error.ts'
import type { FieldAttributes, FieldOption } from './field-schema.ts'

/** As much of a change event as a field reads; React's and the browser's own are such. */
export interface FieldChangeEvent {
  readonly target: {
    value: string
    readonly type?: string
    readonly checked?: boolean
    readonly validity?: { readonly badInput: boolean }
  }
}

/** As much of a key event as a field reads; React's are such. */
export interface FieldKeyEvent {
  readonly key: string
  readonly nativeEvent?: { readonly isComposing?: boolean }
  preventDefault(): void
  stopPropagation(): void
}

/**
 * What a bound `<input>`, `<select>` or `<textarea>` is given. It is made to be spread: `error`, `errors`, `isAbsent`
 * and `options`, which are no DOM attributes, are not enumerable, so a spread leaves them out.
 */
export interface FieldProps extends FieldAttributes {
  /** The property path. */
  readonly name: string
  /** The text; a checkbox has none. */
  readonly value?: string
  /** Of a checkbox only. */
  readonly checked?: boolean
  /** While there is no row, in a read-only store, and for binary values, which no form control shows. */
  readonly disabled?: true
  readonly 'aria-invalid'?: true
  readonly onChange: (event: FieldChangeEvent) => void
  readonly onBlur: () => void
  /**
   * Escape gives up what was changed in the field since it was entered, and goes no further then: not to a handler that
   * would cancel the draft. Where there is nothing to give up, it passes.
   */
  readonly onKeyDown: (event: FieldKeyEvent) => void
  /** Why the text in the field is refused: the messages of `errors`. Not enumerable. */
  readonly error: string | undefined
  /** The same, one by one, with what refuses it. Not enumerable. */
  readonly errors: readonly FieldError[]
  /**
   * Whether there is no value, or null, which some controls can't show: a checkbox does once its `indeterminate` is set.
   * Not enumerable.
   */
  readonly isAbsent: boolean
  /**
   * The values that the schema allows, for a `<select>` or radio buttons. Where the property may be absent or is, the first
   * one is `{ value: '', label: '' }`, if none has that value anyway; choosing it removes the property. Not enumerable.
   */
  readonly options: readonly FieldOption[] | undefined
}

/** Each may be undefined, and a number infinite, which is as good as absent. */
type Loose<Props> = { readonly [Name in keyof Props]: Props[Name] | undefined }

const ABSENT: ReadonlySet<unknown> = new Set([undefined, Infinity, -Infinity])

/** Props of which a spread leaves out what is no attribute, and whose undefined and infinite ones are absent. */
export function toFieldProps({ error, errors, isAbsent, options, ...props }: Loose<FieldProps>): FieldProps {
  const given = Object.fromEntries(Object.entries(props).filter(([, value]) => !ABSENT.has(value)))
  return Object.defineProperties(given, {
    error: { value: error },
    errors: { value: errors },
    isAbsent: { value: isAbsent },
    options: { value: options },
  }) as unknown as FieldProps
}

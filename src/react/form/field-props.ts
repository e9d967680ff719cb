import type { FieldAttributes, FieldOption } from './field-schema.ts'

/** As much of a change event as a field reads; React's and the browser's own are such. */
export interface FieldChangeEvent {
  readonly target: {
    readonly value: string
    readonly checked?: boolean
    readonly validity?: { readonly badInput: boolean }
  }
}

/**
 * What a bound `<input>`, `<select>` or `<textarea>` is given. It is made to be spread: `error` and `options`, which are
 * no DOM attributes, are not enumerable, so a spread leaves them out.
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
  /** Why the text in the field is refused. Not enumerable. */
  readonly error: string | undefined
  /** The values that the schema allows, for a `<select>`. Not enumerable. */
  readonly options: readonly FieldOption[] | undefined
}

/** Each may be undefined, and a number infinite, which is as good as absent. */
type Loose<Props> = { readonly [Name in keyof Props]: Props[Name] | undefined }

const ABSENT: ReadonlySet<unknown> = new Set([undefined, Infinity, -Infinity])

/** Props whose `error` and `options` a spread leaves out, and whose undefined and infinite ones are absent. */
export function toFieldProps({ error, options, ...props }: Loose<FieldProps>): FieldProps {
  const given = Object.fromEntries(Object.entries(props).filter(([, value]) => !ABSENT.has(value)))
  return Object.defineProperties(given, {
    error: { value: error },
    options: { value: options },
  }) as unknown as FieldProps
}

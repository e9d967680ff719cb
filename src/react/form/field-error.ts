import { ConstraintError, ValidationError } from '../../errors/index.ts'
import { TextError } from './text-error.ts'

/** Why a text in a field is refused. */
export interface FieldError {
  /**
   * What refuses it: a keyword of JSON Schema (`type`, `minLength`, `required`, …), the `constraint` of a ConstraintError
   * (`unique`, `foreignKey`, …), or `badInput` where the browser has no value for what stands there.
   */
  readonly keyword: string
  /** What ajv gives with the keyword (`{ limit: 2 }`, `{ allowedValues: […] }`), of a constraint `{ table, columns }`. */
  readonly params: Readonly<Record<string, unknown>>
  /** The property path that is refused: of the field, or within its value. */
  readonly path: string
  /** The text: that of `errorMessages`, else an English one. */
  readonly message: string
}

/** Gives the text of an error; `undefined` leaves the English one. */
export type ErrorMessage = (error: FieldError) => string | undefined

/** The texts of errors, so that they can be translated: of all in one function, or by keyword. */
export type ErrorMessages = ErrorMessage | { readonly [keyword: string]: string | ErrorMessage }

/** An error with the text of the first of these that has one for it. */
export function worded(error: FieldError, ...sources: readonly (ErrorMessages | undefined)[]): FieldError {
  for (const source of sources) {
    const message = textOf(source, error)
    if (message !== undefined) return { ...error, message }
  }
  return error
}

function textOf(source: ErrorMessages | undefined, error: FieldError): string | undefined {
  if (typeof source !== 'object') return source?.(error)
  const own = Object.hasOwn(source, error.keyword) ? source[error.keyword] : undefined
  return typeof own === 'function' ? own(error) : own
}

/** Why the value or text of the property at a path was refused. What is not about it is thrown on. */
export function refusals(error: unknown, path: string): readonly FieldError[] {
  if (error instanceof ValidationError)
    return error.issues.map(({ keyword, params = {}, path, message }) => ({ keyword, params, path, message }))
  if (error instanceof ConstraintError) {
    const { constraint: keyword, table, columns, message } = error
    return [{ keyword, params: { table, columns }, path, message }]
  }
  if (error instanceof TextError)
    return [{ keyword: error.keyword, params: error.params, path, message: error.message }]
  throw error
}

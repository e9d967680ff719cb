/**
 * What kind of value a field holds:
 * - `any`: text, numbers and booleans side by side (a primitive union, or a place inside a JSON column), never a bigint;
 * - `json`: an array or object as a whole, which can be asked only whether it is null.
 */
export type FieldKind = 'text' | 'number' | 'boolean' | 'bigint' | 'binary' | 'any' | 'json'

/** One property that a filter or an order can read, on both sides. */
export interface FilterField {
  /** The property path. */
  readonly path: string
  /** The effective value in SQL: a column of the view, or `json_extract` of a JSON column. No side effects. */
  readonly sql: string
  readonly kind: FieldKind
  /** The effective value in a row object, `undefined` where it is absent. */
  readonly get: (row: object) => unknown
}

/** Finds the field of a property path. Throws NotFoundError for an unknown one. */
export type FieldResolver = (path: string) => FilterField

import type { FilterField } from './field.ts'

/** A value to compare with, in SQLite's terms: booleans are 1 and 0. Finite, well-formed, within 64 bits. */
export type Operand = string | number | bigint | Uint8Array

export type CompareOperator = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte'
export type TextOperator = 'like' | 'startsWith' | 'contains'

/** One comparison. A null value makes it neither true nor false, as SQL's NULL. */
export interface CompareNode {
  readonly kind: 'compare'
  readonly field: FilterField
  readonly operator: CompareOperator
  readonly operand: Operand
}

/** Whether the value is among the operands, of which there is at least one; with `orNull`, null is among them too. */
export interface InNode {
  readonly kind: 'in'
  readonly field: FilterField
  readonly operands: readonly Operand[]
  readonly orNull: boolean
}

/** A question about a text: false for any other value, NULL for null. */
export interface TextNode {
  readonly kind: 'text'
  readonly field: FilterField
  readonly operator: TextOperator
  readonly operand: string
}

/** Whether the value is null or absent: always true or false. */
export interface NullNode {
  readonly kind: 'null'
  readonly field: FilterField
}

/**
 * A parsed `where`, in three-valued logic. `and` of nothing is true, `or` of nothing is false. There are no other
 * constants, and no other operators: `notIn`, `between` and `isNull: false` are made of these.
 */
export type FilterNode =
  | { readonly kind: 'and' | 'or'; readonly nodes: readonly FilterNode[] }
  | { readonly kind: 'not'; readonly node: FilterNode }
  | CompareNode
  | InNode
  | TextNode
  | NullNode

/** The filter that every row passes. */
export const everything: FilterNode = { kind: 'and', nodes: [] }

/** The filter that no row passes. */
export const nothing: FilterNode = { kind: 'or', nodes: [] }

import type { AnyLeaf, Leaf } from './paths.ts'

/** What every value can be asked. */
export interface PresenceOperators {
  /** `true`: null or absent; `false`: anything else. */
  readonly isNull?: boolean
}

/** What a boolean, or a value of a few literals, can be asked. */
export interface EqualityOperators<V> extends PresenceOperators {
  readonly eq?: V | null
  readonly ne?: V | null
  readonly in?: readonly V[]
  readonly notIn?: readonly V[]
}

/** What a number or a text can be asked. Text is compared by code point. */
export interface OrderOperators<V, Bound = V> extends EqualityOperators<V> {
  readonly gt?: Bound
  readonly gte?: Bound
  readonly lt?: Bound
  readonly lte?: Bound
  /** From the first to the second, both included. */
  readonly between?: readonly [from: Bound, to: Bound]
}

/** What a text can be asked. */
export interface TextOperators<V extends string = string> extends OrderOperators<V, string> {
  /** SQL's pattern: `%` is any text, `_` one character. */
  readonly like?: string
  readonly startsWith?: string
  readonly contains?: string
}

/** The operators for a value, by its type. */
export type Operators<V> = unknown extends V
  ? OrderOperators<unknown> & TextOperators
  : [V] extends [string]
    ? TextOperators<V>
    : [V] extends [boolean]
      ? EqualityOperators<V>
      : [V] extends [number]
        ? OrderOperators<V, number>
        : [V] extends [number | bigint]
          ? OrderOperators<number | bigint>
          : [V] extends [string | number | bigint | boolean]
            ? OrderOperators<V> & (Extract<V, string> extends never ? unknown : TextOperatorsOnly)
            : PresenceOperators

type TextOperatorsOnly = Pick<TextOperators, 'like' | 'startsWith' | 'contains'>

/** A condition on one value: the value itself, `null` for "null or absent", or operators that must all hold. */
export type Condition<V> = unknown extends V
  ? unknown
  : [V] extends [string | number | bigint | boolean]
    ? V | null | Operators<V>
    : null | Operators<V>

/** Conditions that must all hold, by property path, with `and`, `or` and `not`. Plain JSON. */
export type Where<Row> = Conditions<Row> & Connectives<Row>

interface Connectives<Row> {
  readonly and?: readonly Where<Row>[]
  readonly or?: readonly Where<Row>[]
  readonly not?: Where<Row>
}

type Conditions<Row> = string extends keyof Row
  ? { readonly [path: string]: unknown }
  : Leaf<Row> extends infer L extends AnyLeaf
    ? { readonly [One in L as One[0]]?: Condition<NonNullable<One[1]>> }
    : never

/** A path to order by, ascending, or descending with a minus before it. */
export type OrderKey<Row> = string extends keyof Row ? string : Signed<Orderable<Leaf<Row>>>

/** One path or several, the first the most significant. */
export type OrderBy<Row> = OrderKey<Row> | readonly (OrderKey<Row> | readonly (string | number)[])[]

type Signed<P extends string> = P | `-${P}`

type Orderable<L extends readonly [string, unknown]> = L extends readonly [infer P extends string, infer V]
  ? [NonNullable<V>] extends [string | number | bigint | boolean]
    ? P
    : never
  : never

import type { ColumnType } from 'kysely'

/** The column of a value, which may be absent when read, and left out when inserted. */
export type Leaf<V, Nullable extends boolean, Omittable extends boolean> = ColumnType<
  Stored<V> | (Nullable extends true ? null : never),
  Written<V> | (Omittable extends true ? null | undefined : never),
  Written<V> | (Or<Nullable, Omittable> extends true ? null : never)
>

/** Whether an object that may be absent is there. */
export type Presence = ColumnType<number | null, number | boolean | null | undefined, number | boolean | null>

type Kind<V> = unknown extends V
  ? 'json'
  : [V] extends [never]
    ? 'json'
    : [V] extends [boolean]
      ? 'boolean'
      : [V] extends [string | number | bigint]
        ? 'scalar'
        : [V] extends [Uint8Array]
          ? 'binary'
          : 'json'

/** What is read. A 64-bit integer is a `number` where that is exact. */
type Stored<V> = {
  json: string
  boolean: number
  scalar: NonNullable<V> extends bigint ? number | bigint : NonNullable<V>
  binary: Uint8Array
}[Kind<NonNullable<V>>]

/** What is written: Kysely's parameters may also be `true` and `false`. */
type Written<V> = Stored<V> | (Kind<NonNullable<V>> extends 'boolean' ? boolean : never)

export type Or<A extends boolean, B extends boolean> = A extends true ? true : B

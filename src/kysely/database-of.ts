import type { ColumnType } from 'kysely'
import type { InsertOf, JsonSchemaObject, RowOf, SchemaInput, SchemaOf } from '../schema/index.ts'
import type { Leaf, Or, Presence } from './column-value.ts'
import type { Declared, IsObject, RefOf, Resolved, SchemaAt } from './schema-node.ts'

/** The tables and singletons of a schema as Kysely's `DB`: what raw SQL reads and writes. */
export type DatabaseOf<S extends SchemaInput> = {
  [T in keyof S['tables'] & string]: ColumnsOf<S, T>
}

/**
 * The columns of a table as SQL sees it, each a Kysely `ColumnType` of what is read, inserted and updated.
 *
 * A leaf of a nested object is named by its path joined with `_`. Booleans are read as 0 and 1, 64-bit integers as
 * `bigint` where a `number` would round them, arrays and free-form objects as JSON text. An object that may be absent has
 * a column of its own: 1 there, 0 null, NULL absent. `_rest` holds undeclared properties, where the schema allows any.
 * Writing NULL to a column with a default puts it back to the default, unless the schema allows null there.
 */
export type ColumnsOf<S extends SchemaInput, T extends keyof S['tables']> =
  JsonSchemaObject extends SchemaOf<S, T>
    ? { [column: string]: ColumnType<LooseValue, LooseInput, LooseInput> }
    : ByName<Columns<RowOf<S, T>, InsertOf<S, T>, SchemaOf<S, T>, SchemaOf<S, T>>>

type LooseValue = null | number | bigint | string | Uint8Array
type LooseInput = LooseValue | boolean | undefined

/** The row, and what may be inserted, are walked together with their schema, which alone tells what is kept as JSON. */
type Columns<
  Row,
  Insert,
  JS,
  Root,
  Prefix extends string = '',
  MayBeAbsent extends boolean = false,
  MayBeOmitted extends boolean = false,
  Refs = '#',
  D extends Level = 6,
> =
  | ([D] extends [never]
      ? never
      : {
          [K in keyof Declared<Row> & string]-?: Property<
            Row[K & keyof Row],
            K extends keyof Insert ? Insert[K] : undefined,
            SchemaAt<JS, K>,
            Root,
            `${Prefix}${K}`,
            MayBeAbsent,
            MayBeOmitted,
            Refs,
            D
          >
        }[keyof Declared<Row> & string])
  | (JS extends { readonly additionalProperties: false } | { readonly unevaluatedProperties: false }
      ? never
      : readonly ['_rest', ColumnType<string | null, string | null | undefined, string | null>])

type Property<
  V,
  Input,
  JS,
  Root,
  Name extends string,
  MayBeAbsent extends boolean,
  MayBeOmitted extends boolean,
  Refs,
  D extends Level,
> =
  IsObject<NonNullable<V>, JS, Root, Refs> extends true
    ?
        | (IsNullish<V> extends true ? readonly [Name, Presence] : never)
        | Columns<
            NonNullable<V>,
            NonNullable<Input>,
            Resolved<JS, Root>,
            Root,
            `${Name}_`,
            Or<MayBeAbsent, IsNullish<V>>,
            Or<MayBeOmitted, IsNullish<Input>>,
            Refs | RefOf<JS>,
            Below[D]
          >
    : readonly [Name, Leaf<V, Or<MayBeAbsent, IsNullish<V>>, Or<MayBeOmitted, IsNullish<Input>>>]

type IsNullish<V> = undefined extends V ? true : null extends V ? true : false

// A type that holds itself would have endless columns.
type Below = [never, 0, 1, 2, 3, 4, 5, 6]
type Level = Below[number]

type ByName<Entry> = {
  [E in Entry as E extends readonly [infer N extends string, unknown] ? N : never]: E extends readonly [string, infer C]
    ? C
    : never
}

import type { SchemaInput, WideSchemaInput } from './schema-input.ts'
import type { LeafPathOf } from './tables.ts'

/**
 * To be intersected with a schema's own type, so that a primary key, index or reference to what isn't there does not
 * compile; the message stands in the type that was expected. Of a schema from a `.json` file nothing is known to check.
 */
export type CheckSchema<S extends SchemaInput | WideSchemaInput> =
  IsWide<S> extends true
    ? unknown
    : S extends SchemaInput
      ? { readonly tables: { readonly [T in keyof S['tables']]: CheckTable<S, T> } }
      : SchemaInput

/** The schema that a store is typed by: the literal types of one that has them, else those of any schema. */
export type KnownSchema<S extends SchemaInput | WideSchemaInput> =
  IsWide<S> extends true ? SchemaInput : S extends SchemaInput ? S : SchemaInput

type IsWide<S extends SchemaInput | WideSchemaInput> = true extends {
  [T in keyof S['tables']]: IsWideTable<S['tables'][T]>
}[keyof S['tables']]
  ? true
  : false

// Of a table that is written in TypeScript, the key is a literal, or `singleton` is.
type IsWideTable<Table> = Table extends { readonly primaryKey: infer P }
  ? string extends (P extends readonly (infer One)[] ? One : P)
    ? true
    : false
  : Table extends { readonly singleton: true }
    ? false
    : Table extends { readonly singleton?: infer Mark }
      ? boolean extends Mark
        ? true
        : false
      : false

interface CheckTable<S extends SchemaInput, T extends keyof S['tables']> {
  readonly primaryKey?: CheckNames<S['tables'][T]['primaryKey'], LeafPathOf<S, T>>
  readonly indexes?: CheckLists<S['tables'][T]['indexes'], LeafPathOf<S, T>>
  readonly unique?: CheckLists<S['tables'][T]['unique'], LeafPathOf<S, T>>
  readonly restricted?: CheckNames<S['tables'][T]['restricted'], LeafPathOf<S, T>>
  readonly references?: {
    readonly [P in keyof S['tables'][T]['references']]: CheckReference<P, LeafPathOf<S, T>, keyof S['tables']>
  }
}

type CheckNames<Given, Known> = Given extends string
  ? CheckName<Given, Known>
  : { readonly [I in keyof Given]: CheckName<Given[I], Known> }

type CheckLists<Given, Known> = { readonly [I in keyof Given]: CheckNames<Given[I], Known> }

type CheckName<Name, Known> = Name extends Known ? Name : NoSuchProperty<Name>

// An object, since two literals that differ would intersect to `never` and take the message with them.
interface NoSuchProperty<Name> {
  readonly error: `${Name & string} is not a property of this table`
}

type CheckReference<P, Known, Tables> = P extends Known ? { readonly table: Tables } : NoSuchProperty<P>

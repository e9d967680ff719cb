import type { SchemaInput } from './schema-input.ts'
import type { LeafPathOf } from './tables.ts'

/**
 * To be intersected with a schema's own type, so that a primary key, index or reference to what isn't there does not
 * compile; the message stands in the type that was expected.
 */
export type CheckSchema<S extends SchemaInput> = {
  readonly tables: { readonly [T in keyof S['tables']]: CheckTable<S, T> }
}

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

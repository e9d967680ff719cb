import type { Key } from '../../changes/index.ts'
import type { InferSchema } from './infer.ts'
import type { Patch } from './patch.ts'
import type { CheckPath, InputAt, LeafPath, Path, PathSegments, ValueAt } from './paths.ts'
import type { JsonSchemaObject, SchemaInput } from './schema-input.ts'
import type { OrderBy, Where } from './where.ts'

/** A row of a table whose schema is not known at compile time. */
export type LooseRow = { readonly [property: string]: unknown }

/** The names of a schema's tables, without its singletons. `string` for a schema that is loaded. */
export type TableName<S extends SchemaInput> = {
  [T in keyof S['tables']]: S['tables'][T] extends { readonly singleton: true } ? never : T
}[keyof S['tables']] &
  string

/** The names of a schema's singletons. `string` for a schema that is loaded. */
export type SingletonName<S extends SchemaInput> = string extends keyof S['tables']
  ? string
  : { [T in keyof S['tables']]: S['tables'][T] extends { readonly singleton: true } ? T : never }[keyof S['tables']] &
      string

/** The JSON Schema of a table or singleton. */
export type SchemaOf<S extends SchemaInput, T extends keyof S['tables']> = S['tables'][T]['schema']

/** A row as it is read: deeply readonly, with every default present. */
export type RowOf<S extends SchemaInput, T extends keyof S['tables']> =
  JsonSchemaObject extends SchemaOf<S, T> ? LooseRow : InferSchema<SchemaOf<S, T>>

/** A row as it is inserted: what has a default may be left out. */
export type InsertOf<S extends SchemaInput, T extends keyof S['tables']> =
  JsonSchemaObject extends SchemaOf<S, T> ? LooseRow : InferSchema<SchemaOf<S, T>, SchemaOf<S, T>, 'insert'>

/** What `update` takes: a deep partial row. */
export type PatchOf<S extends SchemaInput, T extends keyof S['tables']> = Patch<InsertOf<S, T>>

/** The primary key of a table: a value, or a list in the order of `primaryKey`. */
export type KeyOf<S extends SchemaInput, T extends keyof S['tables']> = S['tables'][T] extends {
  readonly primaryKey: infer P
}
  ? P extends string
    ? KeyProperty<RowOf<S, T>, P>
    : { readonly [I in keyof P]: KeyProperty<RowOf<S, T>, P[I]> }
  : Key

type KeyProperty<Row, P> = string extends P
  ? Key
  : unknown extends ValueAt<Row, P>
    ? Exclude<Key, readonly unknown[]>
    : NonNullable<ValueAt<Row, P>>

/**
 * Every path of a table, dotted, or any list of segments: spelled out as a union of tuples they would triple the time
 * that a wide table takes to check. `CheckPathOf` tells the right lists from the wrong ones.
 */
export type PathOf<S extends SchemaInput, T extends keyof S['tables']> = Path<RowOf<S, T>> | PathSegments

/** For a path parameter: `path: P & CheckPathOf<S, T, P>`. A list of segments that leads nowhere doesn't compile. */
export type CheckPathOf<S extends SchemaInput, T extends keyof S['tables'], P> = CheckPath<RowOf<S, T>, P>

/** The value that is read at a path. */
export type ValueOf<S extends SchemaInput, T extends keyof S['tables'], P> = ValueAt<RowOf<S, T>, P>

/** The value that may be set at a path: a nested object may leave its defaults out. */
export type InputOf<S extends SchemaInput, T extends keyof S['tables'], P> = InputAt<InsertOf<S, T>, P>

/** The paths of a table's columns. */
export type LeafPathOf<S extends SchemaInput, T extends keyof S['tables']> = LeafPath<RowOf<S, T>>

/** A filter of a table. */
export type WhereOf<S extends SchemaInput, T extends keyof S['tables']> = Where<RowOf<S, T>>

/** An order of a table's rows. */
export type OrderByOf<S extends SchemaInput, T extends keyof S['tables']> = OrderBy<RowOf<S, T>>

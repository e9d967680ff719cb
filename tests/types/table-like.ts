import type {
  CheckPathOf,
  CheckSchema,
  InputOf,
  InsertOf,
  KeyOf,
  KnownSchema,
  OrderByOf,
  PatchOf,
  PathOf,
  RowOf,
  SchemaInput,
  TableName,
  ValueOf,
  WhereOf,
  WideSchemaInput,
} from '../../src/schema/types/index.ts'

/** The typed surface of a table, to write type tests against. */
export interface TableLike<S extends SchemaInput, T extends TableName<S>> {
  get(key: KeyOf<S, T>): RowOf<S, T> | undefined
  insert(row: InsertOf<S, T>): KeyOf<S, T>
  update(key: KeyOf<S, T>, patch: PatchOf<S, T>): void
  set<const P extends PathOf<S, T>>(key: KeyOf<S, T>, path: P & CheckPathOf<S, T, P>, value: InputOf<S, T, P>): void
  value<const P extends PathOf<S, T>>(key: KeyOf<S, T>, path: P & CheckPathOf<S, T, P>): ValueOf<S, T, P>
  find(options: { readonly where?: WhereOf<S, T>; readonly orderBy?: OrderByOf<S, T> }): readonly RowOf<S, T>[]
}

/** The typed surface of a store. */
export interface StoreLike<S extends SchemaInput> {
  table<T extends TableName<S>>(name: T): TableLike<S, T>
}

/** A schema with its literal types, checked for names that aren't there. */
export declare function define<const S extends SchemaInput | WideSchemaInput>(
  schema: S & CheckSchema<S>,
): KnownSchema<S>

/** A store of a schema. */
export declare function open<S extends SchemaInput>(schema: S): StoreLike<S>

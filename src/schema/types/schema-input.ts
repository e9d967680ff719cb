import type { ValidationIssue } from '../../errors/index.ts'

/** The names that JSON Schema's `type` takes. */
export type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object'

/**
 * A JSON Schema document (draft-07 or 2020-12) as far as its keywords decide a type or a column. It is structural:
 * other keywords are let through, TypeBox's objects are assignable (some of their keywords may be `undefined`), and so
 * is what `as const` makes of a literal.
 */
export interface JsonSchemaObject {
  readonly $id?: string
  readonly $schema?: string
  readonly $comment?: string
  readonly $ref?: string
  readonly $defs?: { readonly [name: string]: JsonSchema }
  readonly definitions?: { readonly [name: string]: JsonSchema }
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly examples?: unknown
  readonly deprecated?: boolean
  readonly readOnly?: boolean
  readonly writeOnly?: boolean
  readonly type?: JsonType | readonly JsonType[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly contentEncoding?: string
  readonly contentMediaType?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly multipleOf?: number
  readonly properties?: { readonly [name: string]: JsonSchema }
  readonly patternProperties?: { readonly [pattern: string]: JsonSchema }
  readonly additionalProperties?: JsonSchema | undefined
  readonly unevaluatedProperties?: JsonSchema | undefined
  readonly propertyNames?: JsonSchema
  readonly required?: readonly string[] | undefined
  readonly dependentRequired?: { readonly [name: string]: readonly string[] }
  readonly minProperties?: number
  readonly maxProperties?: number
  /** Draft-07 also takes a list here, which 2020-12 calls `prefixItems`. */
  readonly items?: JsonSchema | readonly JsonSchema[] | undefined
  readonly prefixItems?: readonly JsonSchema[]
  readonly additionalItems?: JsonSchema | undefined
  readonly contains?: JsonSchema
  readonly minItems?: number | undefined
  readonly maxItems?: number | undefined
  readonly uniqueItems?: boolean
  readonly allOf?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly not?: JsonSchema
  readonly if?: JsonSchema
  readonly then?: JsonSchema
  readonly else?: JsonSchema
  /** The mark of TypeBox 1.x, whose `Any` and `Unknown` have no keyword at all. */
  readonly '~kind'?: string
}

/** A JSON Schema: a document, `true` (anything) or `false` (nothing). */
export type JsonSchema = boolean | JsonSchemaObject

/** What a reference does to a row when the row that it points to is deleted. */
export type ReferenceAction = 'cascade' | 'restrict' | 'setNull'

/** A foreign key: the property that carries it is its name in `references`. */
export interface ReferenceInput {
  /** The table whose primary key the property holds. */
  readonly table: string
  /** What becomes of the referring row when the row that it refers to is deleted. `restrict` if not given. */
  readonly onDelete?: ReferenceAction
  /** The properties that together hold a key of several parts, in its order; the name is free then. */
  readonly properties?: readonly string[]
}

/** One table of a schema. */
export interface TableInput {
  /** The property of the primary key, or several in order. A singleton has none. */
  readonly primaryKey?: string | readonly string[]
  /** Lists of property paths, one list an index. */
  readonly indexes?: readonly (readonly string[])[]
  /** Lists of property paths that are unique together, one list a constraint. */
  readonly unique?: readonly (readonly string[])[]
  /** Foreign keys, by property path. */
  readonly references?: { readonly [path: string]: ReferenceInput }
  /**
   * Properties that a server may withhold from a client: property paths, each of one value, one array or one free-form
   * object. On such a client the property is absent, and never at its default; the row's type does not say so. Not a
   * part of a key, a reference, a unique property or a 64-bit integer.
   */
  readonly restricted?: readonly string[]
  /** One row, no key. Where it may be empty it is always there: a delete is refused. */
  readonly singleton?: boolean
  /** The JSON Schema of a row, of type object. */
  readonly schema: JsonSchemaObject
  /**
   * Properties that moved: the new path, and the path that it had before, or several, the newest first. Keep an entry as
   * long as databases of the time before may come. One that a database has behind it already does nothing.
   */
  readonly renames?: { readonly [path: string]: string | readonly string[] }
  /** The name, or names, the newest first, that the table had before. */
  readonly renamedFrom?: string | readonly string[]
}

/** A statement for a migration to run. */
export interface MigrationStatement {
  readonly sql: string
  /** Values for `?` in order. */
  readonly parameters?: readonly unknown[]
}

/** A row that a migration could not carry over by itself. */
export interface RefusedRow {
  /** The table of the new schema that it belongs to. */
  readonly table: string
  readonly key: unknown
  /** What was set in the row, under its new paths; what was at its default is left out. */
  readonly row: Record<string, unknown>
  /** Why the new schema refuses it. */
  readonly issues: readonly ValidationIssue[]
}

/**
 * What a migration works with, in the transaction of the whole migration, and only until the function returns.
 *
 * Everything that can be computed has been done before the first function runs: the tables of the new schema stand under
 * their own names, with the rows that the new schema takes. Each table of the old schema is still there to be read with
 * its effective values, as `old_<table>` (a new table that happens to have this name is then `main.old_<table>`). The
 * rows that could not be carried over are in `refused()` and nowhere else: each must be written to its table, under the
 * same key, or given up with `discard`, or the migration fails with the report of all that is left. Tables and undeclared
 * properties that the new schema has no place for are gone afterwards, unless the function puts their data elsewhere.
 *
 * Only the newest schema is known to the code: where a database is several versions behind, there is one computed step
 * from its schema to the newest, after which the functions of the versions between run, in order, each seeing the same
 * old tables and what the ones before it have done. Afterwards every row of every table is checked.
 */
export interface MigrationContext {
  /** The schema version of the database before the migration. */
  readonly from: number
  /** The schema version that it has after it. */
  readonly to: number
  /**
   * Runs one statement. `changes` counts the rows written to tables: through a table's view, one for each property
   * set. Throws `SqlError` with what SQLite says, and for transaction control, PRAGMA, ATTACH and the like.
   */
  exec(statement: MigrationStatement): { changes: number }
  /** The rows of one statement, by column name. Throws `SqlError` with what SQLite says. */
  query(statement: MigrationStatement): Record<string, unknown>[]
  /** Writes a row of the new schema. Throws `ValidationError` or `ConstraintError`. */
  insert(table: string, row: Record<string, unknown>): void
  /** The rows that could not be carried over, of one table of the new schema or of all. */
  refused(table?: string): readonly RefusedRow[]
  /** Gives up refused rows, one or all those of a table. Throws `NotFoundError` where there is none. */
  discard(table: string, key?: unknown): void
}

/** A schema as written: what `defineSchema` takes. Without `migrations` it is plain JSON. */
export interface SchemaInput {
  /** A whole number from 1, raised with every change of the tables. */
  readonly version: number
  readonly tables: { readonly [name: string]: TableInput }
  /** By the version that the step leads to; only where the step can't be computed. */
  readonly migrations?: { readonly [version: number]: (db: MigrationContext) => void }
}

/**
 * A schema as TypeScript knows it from a `.json` file, with `string` where literals are expected. Its rows, names and
 * paths are as those of a schema that is loaded: `SchemaInput`.
 */
export interface WideSchemaInput extends Pick<SchemaInput, 'version' | 'migrations'> {
  readonly tables: { readonly [name: string]: { readonly schema: object } }
}

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
  /** One row, no key. */
  readonly singleton?: boolean
  /** The JSON Schema of a row, of type object. */
  readonly schema: JsonSchemaObject
}

/** A statement for a migration to run. */
export interface MigrationStatement {
  readonly sql: string
  /** Values for `?` in order. */
  readonly parameters?: readonly unknown[]
}

/** What a migration works with: the old tables and the new ones, in the transaction of the whole migration. */
export interface MigrationContext {
  /** Runs one statement. `changes` counts the rows written. Throws what SQLite says. */
  exec(statement: MigrationStatement): { changes: number }
  /** The rows of one statement, by column name. Throws what SQLite says. */
  query(statement: MigrationStatement): Record<string, unknown>[]
  /** Writes a row of the new schema. Throws `ValidationError` or `ConstraintError`. */
  insert(table: string, row: Record<string, unknown>): void
}

/** A schema as written: what `defineSchema` takes. Without `migrations` it is plain JSON. */
export interface SchemaInput {
  /** A whole number from 1, raised with every change of the tables. */
  readonly version: number
  readonly tables: { readonly [name: string]: TableInput }
  /** By the version that the step leads to; only where the step can't be computed. */
  readonly migrations?: { readonly [version: number]: (db: MigrationContext) => void }
}

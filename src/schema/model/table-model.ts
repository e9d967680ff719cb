import type { Column, ObjectNode } from './column.ts'
import type { SchemaObject } from './facets.ts'

/** A reference from this table to another, or to itself. */
export interface Reference {
  readonly name: string
  readonly columns: readonly Column[]
  readonly table: string
  readonly onDelete: 'cascade' | 'restrict' | 'setNull'
}

/** A unique constraint or an index. */
export interface IndexModel {
  readonly name: string
  readonly columns: readonly Column[]
  /** For a place inside a JSON column: the path below the column. `undefined` for the column itself. */
  readonly unique: boolean
}

/** What rowcast knows of a table: how its rows and columns map to each other. */
export interface TableModel {
  readonly name: string
  /** The position among the schema's tables. */
  readonly index: number
  /** The name of the table that stores the rows; the table's own name is a view over it. */
  readonly base: string
  readonly singleton: boolean
  readonly root: ObjectNode
  readonly columns: readonly Column[]
  /** Those that a server may withhold from a client. */
  readonly restricted: readonly Column[]
  /** By property path. Presence columns stand under the path of their object. */
  readonly byPath: ReadonlyMap<string, Column>
  readonly key: readonly Column[]
  /** Whether the key is SQLite's own rowid. */
  readonly rowidKey: boolean
  /** The column of undeclared properties; `undefined` where the schema forbids them everywhere. */
  readonly rest: Column | undefined
  readonly references: readonly Reference[]
  readonly unique: readonly IndexModel[]
  readonly indexes: readonly IndexModel[]
  /** The table's JSON Schema as given. */
  readonly schema: SchemaObject
  /** Whether the row as a whole has keywords that tie its properties to each other. */
  readonly crossField: boolean
}

/** The key of a singleton's only row. */
export const SINGLETON_KEY = 1

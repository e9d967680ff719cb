import type { CellValue } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import type { Facet } from './facets.ts'

/**
 * How a value is kept:
 * - `union`: text or number, told apart by SQLite's storage class;
 * - `json`: arrays, free-form objects and whatever has no column type of its own, as JSON text;
 * - `presence`: whether an optional object is there (1), null (0) or absent (NULL);
 * - `rest`: the properties that the schema neither declares nor forbids, as one JSON object.
 */
export type ColumnKind =
  | 'text'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'int64'
  | 'binary'
  | 'union'
  | 'json'
  | 'presence'
  | 'rest'

export type ColumnStorage = 'TEXT' | 'INTEGER' | 'REAL' | 'BLOB' | 'ANY'

/** One column of a base table: one leaf of the table's JSON Schema. */
export interface Column {
  /** The position in the base table, and the column's name in the change capture. */
  readonly index: number
  readonly name: string
  readonly segments: readonly string[]
  /** The property path. */
  readonly path: string
  readonly kind: ColumnKind
  readonly storage: ColumnStorage
  readonly nullable: boolean
  /** Whether its object requires it. A required column with a default may be left out. */
  readonly required: boolean
  /** The schema's default, `undefined` if it has none. */
  readonly defaultValue: CellValue | undefined
  /** The default as SQLite would store it, `null` if there is none or the column is stored in full. */
  readonly defaultSql: SqlValue
  /** Whether the default itself is stored: keys and references, whose constraints must see it. */
  readonly full: boolean
  /**
   * What stands for an explicit null where NULL already means "absent" or "at its default": an empty blob, or the text
   * `null` in JSON and binary columns. `undefined` where NULL is null, or null is not allowed.
   */
  readonly nullMark: SqlValue | undefined
  /**
   * What stands for a value that the server withholds, in a restricted column: the blob X'00', or the text `hidden` in
   * JSON and binary columns, where it is no value either. `undefined` where the column is not restricted.
   */
  readonly hiddenMark: SqlValue | undefined
  /** Whether an explicit null is kept in the rest column: references and 64-bit integers, which can't have a mark. */
  readonly nullInRest: boolean
  /** The presence column of the nearest optional object around it. Its default counts only while that object is there. */
  readonly guard: Column | undefined
  readonly facets: readonly Facet[]
  /** Whether a row object shows it (a singleton's key is not shown). */
  readonly hidden: boolean
}

/** An object of the schema whose properties became columns. */
export interface ObjectNode {
  readonly kind: 'object'
  readonly segments: readonly string[]
  readonly path: string
  readonly nullable: boolean
  readonly required: ReadonlySet<string>
  readonly properties: ReadonlyMap<string, ObjectNode | Column>
  /** Its own presence column, where it may be absent or null. */
  readonly presence: Column | undefined
  /** The presence column that governs it: its own, or that of the nearest optional object around it. */
  readonly guard: Column | undefined
  /** Whether its properties are tied to each other, so that a change of one needs the whole row checked. */
  readonly crossField: boolean
  readonly facets: readonly Facet[]
}

export function isColumn(node: ObjectNode | Column): node is Column {
  return node.kind !== 'object'
}

/** Every column below an object, its own presence column left out. */
export function columnsBelow(node: ObjectNode): Column[] {
  const columns: Column[] = []
  for (const child of node.properties.values()) {
    if (isColumn(child)) columns.push(child)
    else {
      if (child.presence) columns.push(child.presence)
      columns.push(...columnsBelow(child))
    }
  }
  return columns
}

/**
 * schema: JSON Schema → tables, columns, validators, types and migrations. Imports src/errors, src/changes and the types
 * of src/drivers' seam; nothing here holds a database open.
 * @module
 */
export type { PatternEngine } from './pattern-engine.ts'
export {
  defineSchema,
  isSchema,
  withPatterns,
  type DefineSchemaOptions,
  type Schema,
  type TableSchema,
} from './define-schema.ts'
export { isColumn, type Column, type ColumnKind, type ObjectNode } from './model/column.ts'
export { effectiveSql } from './model/column-sql.ts'
export { createIndexSql, createTableSql } from './model/ddl.ts'
export { schemaDocument } from './migration/canonical.ts'
export { changeCarrier, type ChangeCarrier } from './migration/carry-changes.ts'
export { createDatabase } from './migration/create-database.ts'
export { readMetadata, type Metadata } from './migration/metadata.ts'
export { openDatabase, type OpenedDatabase } from './migration/open-database.ts'
export { emptyRow } from './migration/write-row.ts'
export { decodeColumn, MalformedJson } from './model/decode-column.ts'
export { EncodeFailure, encodeColumn, encodeJson, isHiddenMark, sameSql } from './model/encode-column.ts'
export { absentValue, isObject, RowEncodeFailure, type RowCodec, type RowObject } from './model/row-codec.ts'
export { StoredCells } from './model/stored-cells.ts'
export { quoteName } from './model/sql-text.ts'
export { SINGLETON_KEY, type IndexModel, type Reference, type TableModel } from './model/table-model.ts'
export { hiddenColumns } from './hidden-errors.ts'
export { patchRow } from './model/patch-row.ts'
export { mergePatch, placeOf, readPath, replaceAt, type Inner, type Place } from './place.ts'
export { valueAt, type TableValidator } from './validator.ts'
export type * from './types/index.ts'

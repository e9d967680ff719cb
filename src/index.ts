/**
 * rowcast: a reactive store whose state is one SQLite database.
 * @module
 */
export {
  invert, isEmpty, pathsOf, squash,
  type Cells, type CellValue, type ChangeSet, type Key, type Origin, type RowChange,
} from './changes/index.ts'
export { sqlJsDriver, type SqliteDriver, type SqliteDriverFactory, type SqliteStatement, type SqlJsDriverOptions, type SqlValue } from './drivers/index.ts'
export {
  ConstraintError, MigrationError, NotFoundError, ReadOnlyError, RejectedError, RowcastError, SchemaError, SqlError, StoreClosedError,
  TransactionError, ValidationError, VersionError, type ValidationIssue,
} from './errors/index.ts'
export {
  defineSchema, type InsertOf, type JsonSchema, type KeyOf, type MigrationContext, type OrderByOf, type PatchOf, type PathOf, type RowOf, type Schema,
  type SchemaInput, type SingletonName, type TableInput, type TableName, type ValueOf, type WhereOf,
} from './schema/index.ts'
export {
  createStore, FilterError, sql,
  type CellPlace, type Commit, type Conflict, type Draft, type FindOptions, type History, type HistoryStep, type InitialRows, type LiveDiff,
  type LiveQuery, type Mutable, type Recipe, type RowPredicate, type SingletonValue, type SnapshotInfo, type SqlFragment, type SqlQuery, type SqlRow,
  type SqlTag,
  type Store, type StoreOptions, type Table, type TableChange, type Transaction, type TransactionOptions, type Workspace,
} from './store/index.ts'

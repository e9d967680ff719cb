/**
 * store: createStore, tables, transactions, layers (drafts, pending transactions), history, live queries. Imports
 * src/errors, src/changes, src/schema, src/drivers and src/triggers; never react, webgl, transport or server.
 * @module
 */
export type {
  CellPlace,
  Commit,
  Conflict,
  Draft,
  FindOptions,
  History,
  HistoryStep,
  LiveDiff,
  LiveQuery,
  Mutable,
  Recipe,
  RowPredicate,
  SingletonValue,
  SkippedStep,
  SnapshotInfo,
  SqlQuery,
  SqlRow,
  Store,
  Sync,
  Table,
  TableChange,
  Transaction,
  TransactionOptions,
  Workspace,
} from './api.ts'
export { createStore, type InitialRows, type StoreOptions, type SyncOptions, type SyncSetOf } from './create-store.ts'
export { addPrices, FilterError, FREE, type FilterPrice } from './filter/index.ts'
export { priceWhere } from './filter-fields.ts'
export { internals, type StoreInternals } from './internals.ts'
export { storedRow, TableScan, type ScanOrder, type StoredRow } from './stored-rows.ts'
export {
  commitChanges,
  commitInSteps,
  previewChanges,
  previewInSteps,
  storedRows,
  transitionsOf,
  type Replicated,
  type RowTransition,
  type Tried,
} from './replica.ts'
export type { Arrival } from './layers/arrival.ts'
export { PendingLayer, PendingLayers } from './layers/pending-layers.ts'
export { assertKeyForm } from './rows/key-form.ts'
export { keepSingletons } from './rows/kept-singletons.ts'
export type { TableRows } from './rows/table-rows.ts'
export { isWrite } from './sql/statement.ts'
export { sql, type SqlFragment, type SqlTag } from './sql/sql-tag.ts'
export type * from './sync-api.ts'
export type { CommitOptions } from './engine.ts'
export type * from './running-sync.ts'
export type * from './persistence/persistence.ts'
export type { JournalRecord } from './persistence/journal-record.ts'
export { decodeRecord, encodeRecord, Journal, type Folded, type KeptContents } from './persistence/journal.ts'
export { loadIntact, type Loaded, type OnDamaged } from './persistence/load-kept.ts'
export { isShared, type SharedSession, type SharingStore } from './persistence/shared-session.ts'

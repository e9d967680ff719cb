/**
 * live: queries whose results are kept up to date. Imports the engine, rows and filter of the store.
 * @module
 */
export { applyDiff, diffRows } from './diff-rows.ts'
export { closeLiveQueries } from './live.ts'
export { SqlLive, type PreparedQuery } from './sql-live.ts'
export { type SqlDependencies } from './sql-dependencies.ts'
export { TableLive } from './table-live.ts'
export { TableQuery, type TableQueryOptions } from './table-query.ts'

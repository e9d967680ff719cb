/**
 * kysely: typed queries by Kysely over a store or a draft, synchronous and live. Imports src/errors and the types of
 * src/schema and src/store; `kysely` is the application's own.
 * @module
 */
export { createKysely } from './create-kysely.ts'
export type { ColumnsOf, DatabaseOf } from './database-of.ts'
export { exec, live, run, type Returned } from './run.ts'

/**
 * drivers: the narrow seam to SQLite and its implementation on sql.js. The one on `node:sqlite` has its own door,
 * `node.ts` (`rowcast/node`), so that bundles for browsers never see it. Imports errors only.
 * @module
 */
export type { SqliteDriver, SqliteDriverFactory, SqliteStatement, SqlValue } from './sqlite-driver.ts'
export { sqlJsDriver } from './sql-js-driver.ts'
export type { SqlJsDriverOptions } from './sql-js-driver.ts'
export type { SqlJsDatabase, SqlJsModule, SqlJsStatement } from './sql-js-module.ts'

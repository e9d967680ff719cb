/**
 * `rowcast/node`: the driver on Node's own SQLite.
 * @module
 */
export { nodeSqliteDriver } from './node-sqlite-driver.ts'
export type { NodeSqliteDriverOptions } from './node-sqlite-driver.ts'

import type { SqliteDriver } from '../drivers/index.ts'

/** Takes out of a database what a server keeps in it (applied-transactions.ts), for a copy that leaves. */
export function dropServerTables(driver: SqliteDriver): void {
  // Without VACUUM their pages would still be there, to be read by who looks for them.
  driver.exec('DROP TABLE IF EXISTS rowcast_server; DROP TABLE IF EXISTS rowcast_transactions; VACUUM')
}

import type { SqliteDriver } from '../drivers/index.ts'
import { nodeSqliteDriver } from '../drivers/node.ts'
import { quoteName } from '../schema/index.ts'

/**
 * Takes out of a database what a server keeps in it (applied-transactions.ts, refused-transactions.ts), and the triggers on
 * tables, of which rowcast keeps none in a file: for a copy that leaves.
 */
export function dropServerTables(driver: SqliteDriver): void {
  dropTableTriggers(driver)
  // Without VACUUM their pages would still be there, to be read by who looks for them.
  driver.exec(
    'DROP TABLE IF EXISTS rowcast_server; DROP TABLE IF EXISTS rowcast_transactions; DROP TABLE IF EXISTS rowcast_refusals; VACUUM',
  )
}

/**
 * A copy of a `.db` file that comes in, where a table of such a name is somebody else's, and a trigger would run as the
 * file is migrated. Throws SqlError for what is no database.
 */
export async function withoutServerTables(bytes: Uint8Array): Promise<Uint8Array> {
  const driver = await nodeSqliteDriver().open(bytes)
  try {
    dropServerTables(driver)
    return driver.serialize()
  } finally {
    driver.close()
  }
}

function dropTableTriggers(driver: SqliteDriver): void {
  const statement = driver.prepare(
    `SELECT name FROM sqlite_schema AS trigger WHERE type = 'trigger'
     AND EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = trigger.tbl_name COLLATE NOCASE)`,
  )
  let names: string[]
  try {
    names = statement.all().map(([name]) => String(name))
  } finally {
    statement.finalize()
  }
  for (const name of names) driver.exec(`DROP TRIGGER ${quoteName(name)}`)
}

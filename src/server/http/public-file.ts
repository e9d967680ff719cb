import type { SqliteDriver } from '../../drivers/index.ts'
import { nodeSqliteDriver } from '../../drivers/node.ts'
import { quoteName } from '../../schema/index.ts'

/**
 * A copy of a `.db` file without the tables that a server keeps in it (../applied-transactions.ts): what leaves a server, and
 * what comes in, where a table of that name is somebody else's, and without triggers on tables, of which rowcast keeps
 * none in a file: they would run as the file is migrated. Throws SqlError for what is no database.
 */
export async function publicFile(bytes: Uint8Array): Promise<Uint8Array> {
  const driver = await nodeSqliteDriver().open(bytes)
  try {
    // Without VACUUM their pages would still be there, to be read by who looks for them.
    dropTableTriggers(driver)
    driver.exec(
      'DROP TABLE IF EXISTS rowcast_server; DROP TABLE IF EXISTS rowcast_transactions; DROP TABLE IF EXISTS rowcast_refusals; VACUUM',
    )
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

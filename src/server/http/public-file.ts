import { nodeSqliteDriver } from '../../drivers/node.ts'

/**
 * A copy of a `.db` file without the tables that a server keeps in it (../applied-transactions.ts): what leaves a server, and
 * what comes in, where a table of that name is somebody else's. Throws SqlError for what is no database.
 */
export async function publicFile(bytes: Uint8Array): Promise<Uint8Array> {
  const driver = await nodeSqliteDriver().open(bytes)
  try {
    // Without VACUUM their pages would still be there, to be read by who looks for them.
    driver.exec(
      'DROP TABLE IF EXISTS rowcast_server; DROP TABLE IF EXISTS rowcast_transactions; DROP TABLE IF EXISTS rowcast_refusals; VACUUM',
    )
    return driver.serialize()
  } finally {
    driver.close()
  }
}

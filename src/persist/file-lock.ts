import { nodeModules } from './file-node.ts'
import { PersistenceError } from './persistence-error.ts'

const SQLITE_BUSY = 5

/** The file of the lock. */
export const LOCK = 'lock'

/**
 * Locks a folder for one session, and gives what unlocks it. The lock is SQLite's own on the file `lock`: the system drops
 * it with the process, however that ends. Throws `persistence-in-use`.
 */
export function lockFolder(folder: string): () => void {
  const { path, sqlite } = nodeModules()
  const database = new sqlite.DatabaseSync(path.join(folder, LOCK))
  try {
    // The mark of a journal beside the file would be all that this database ever writes.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return () => database.close()
  } catch (error) {
    database.close()
    if (error instanceof Error && Reflect.get(error, 'errcode') === SQLITE_BUSY) {
      throw new PersistenceError(
        'persistence-in-use',
        `${folder} is open in another session: close that one, or use another folder`,
        { cause: error },
      )
    }
    throw error
  }
}

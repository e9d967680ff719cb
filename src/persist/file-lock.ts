import { nodeModules } from './file-node.ts'
import { inUse } from './open-wait.ts'
import { PersistenceError } from './persistence-error.ts'

const SQLITE_BUSY = 5

/** How often a lock that another session has is tried again: SQLite's own waiting would keep that one from closing. */
const RETRY_MS = 25

/** The folders that this process has locked, and how often: one that was removed is locked anew before it is let go of. */
const ours = new Map<string, number>()

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
    count(folder, 1)
    return () => {
      database.close()
      count(folder, -1)
    }
  } catch (error) {
    database.close()
    if (error instanceof Error && Reflect.get(error, 'errcode') === SQLITE_BUSY) {
      throw inUse(folder, ours.has(folder), 'in another process: end that one, or use another folder', error)
    }
    throw error
  }
}

/** The same, waiting for another session to unlock it. Rejects with `persistence-in-use`. */
export async function lockFolderWithin(folder: string, waitMs: number): Promise<() => void> {
  const until = performance.now() + waitMs
  for (;;) {
    try {
      return lockFolder(folder)
    } catch (error) {
      const isTaken = error instanceof PersistenceError && error.code === 'persistence-in-use'
      if (!isTaken || performance.now() >= until) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

function count(folder: string, more: 1 | -1): void {
  const locks = (ours.get(folder) ?? 0) + more
  if (locks > 0) ours.set(folder, locks)
  else ours.delete(folder)
}

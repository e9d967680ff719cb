import { join } from 'node:path'
import { RowcastError } from '../errors/index.ts'

/**
 * Keeps a directory, which is there, for one server. The lock is SQLite's own on the file `server.lock`: the system drops it with the
 * process, however that ends. Returns what gives it back. Throws RowcastError (`directory-in-use`).
 */
export function lockDirectory(directory: string): () => void {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const lock = new DatabaseSync(join(directory, 'server.lock'))
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new RowcastError(
      'directory-in-use',
      `${directory} is served by another server: end that one, or use another directory`,
      {
        cause,
      },
    )
  }
  return () => lock.close()
}

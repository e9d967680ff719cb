import { randomUUID } from 'node:crypto'
import { link, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { SqlError } from '../../errors/index.ts'
import { failureCode, makeDirectory, syncDirectory } from './durable-files.ts'

/**
 * A commit that has returned survives a power cut. WAL waits for the disk once a commit where a rollback journal waits
 * three times.
 */
const pragmas = 'PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;'

/** `origin` keeps the number that the first entry follows, so that a log that is trimmed to nothing knows its last; `settled` counts up. */
const schema = `CREATE TABLE log(sequence INTEGER PRIMARY KEY, payload TEXT NOT NULL) STRICT;
CREATE TABLE origin(id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL, settled INTEGER NOT NULL) STRICT;`

/** Opens the file of a log, which exists. Throws SqlError where it is none. */
export function openLogDatabase(file: string): DatabaseSync {
  const database = new (sqliteOfNode().DatabaseSync)(file)
  try {
    database.exec(`${pragmas} SELECT log.payload, origin.settled FROM log, origin LIMIT 0`)
    return database
  } catch (error) {
    database.close()
    throw sqlFailure(error, `${file} can't be opened as a log`)
  }
}

/** Makes the file of a log, whole and durable at once, so that no crash leaves half of one. Leaves one that exists. */
export async function createLogDatabase(file: string, start: number): Promise<void> {
  const directory = dirname(file)
  await makeDirectory(directory)
  const made = `${file}.${randomUUID()}.new`
  try {
    const database = new (sqliteOfNode().DatabaseSync)(made)
    try {
      database.exec(`${pragmas} BEGIN; ${schema}`)
      database.prepare('INSERT INTO origin VALUES (1, ?, 0)').run(start)
      database.exec('COMMIT')
    } finally {
      database.close()
    }
    await linkNew(made, file)
  } catch (error) {
    throw sqlFailure(error, `${file} can't be made`)
  } finally {
    await rm(made, { force: true })
  }
  await syncDirectory(directory)
}

/** Whether a file is in use by another connection, also one of another process. If not, its journal is folded in. */
export function isLogInUse(file: string): boolean {
  const database = new (sqliteOfNode().DatabaseSync)(file)
  try {
    database.exec('PRAGMA journal_mode=DELETE')
    return false
  } catch (error) {
    const busy = 5
    // A file that is damaged is in nobody's use: it may be deleted.
    return error instanceof Error && 'errcode' in error && error.errcode === busy
  } finally {
    database.close()
  }
}

/** What SQLite threw, as the error of ours that has it as its cause. */
export function sqlFailure(error: unknown, what: string): SqlError {
  const reason = error instanceof Error ? error.message : String(error)
  return new SqlError(`${what}: ${reason}`, { cause: error })
}

/** Unlike a rename this never replaces the log that another process has made meanwhile. */
async function linkNew(made: string, file: string): Promise<void> {
  try {
    await link(made, file)
  } catch (error) {
    if (failureCode(error) !== 'EEXIST') throw error
  }
}

interface NodeSqlite {
  readonly DatabaseSync: new (file: string) => DatabaseSync
}

/** Not an import, so that an older Node can load the rest of this folder. */
function sqliteOfNode(): NodeSqlite {
  const sqlite = process.getBuiltinModule('node:sqlite') as NodeSqlite | undefined
  if (sqlite !== undefined) return sqlite
  throw new SqlError(`Node ${process.version} has no SQLite: logs on files need Node 22.13 or newer`)
}

import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { NotFoundError, RowcastError } from '../../errors/index.ts'
import type { Log, LogStorage } from '../log.ts'
import { namesIn, tidyDirectory, syncDirectory } from './durable-files.ts'
import { FileLog } from './file-log.ts'
import { createLogDatabase, isLogInUse, openLogDatabase } from './log-database.ts'
import { assertDatabaseName, assertSequence, isDatabaseName } from '../names.ts'

/** Where `fileLogStorage` and `fileSnapshotStorage` keep their files; one directory may serve both. */
export interface FileStorageOptions {
  /** Made if missing. A database's files lie in a directory of its name in it. */
  readonly directory: string
}

/**
 * Logs on this machine's disk: `<directory>/<database>/log.db`, an SQLite file each. What was appended survives a power
 * cut. The expected number is checked in the transaction that appends, so that it also holds where two processes have
 * one file by mistake. Names of databases that differ by case only are one where the file system says so.
 *
 * `open` and `delete` throw RowcastError: `database-name` for a name that is none, `sequence` for a `start` that is
 * none, `log-in-use` where a log to delete is open, and SqlError where the file is no log or Node has no SQLite.
 */
export function fileLogStorage(options: FileStorageOptions): LogStorage {
  return new FileLogStorage(options.directory)
}

class FileLogStorage implements LogStorage {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async open(database: string, options: { readonly create?: boolean; readonly start?: number } = {}): Promise<Log> {
    const { create = false, start = 0 } = options
    const file = this.#file(database)
    assertSequence(start, `the start of the log of '${database}'`)
    if (!existsSync(file)) {
      if (!create) throw new NotFoundError(`there is no log of '${database}': open it with create to begin one`)
      await createLogDatabase(file, start)
    }
    return new FileLog(database, openLogDatabase(file))
  }

  async list(): Promise<readonly string[]> {
    const names = await namesIn(this.#directory)
    return names.filter((name) => isDatabaseName(name) && existsSync(this.#file(name))).toSorted()
  }

  async delete(database: string): Promise<void> {
    const file = this.#file(database)
    const directory = join(this.#directory, database)
    if (existsSync(file)) {
      if (isLogInUse(file)) {
        throw new RowcastError('log-in-use', `the log of '${database}' is open: close it before it is deleted`)
      }
      await rm(file, { force: true })
      await syncDirectory(directory)
    }
    const left = await namesIn(directory)
    await Promise.all(left.filter((name) => name.startsWith('log.db')).map((name) => rm(join(directory, name))))
    await tidyDirectory(directory)
  }

  #file(database: string): string {
    assertDatabaseName(database)
    return join(this.#directory, database, 'log.db')
  }
}

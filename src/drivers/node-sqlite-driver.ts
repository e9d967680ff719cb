import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { DatabaseSync as NodeDatabase } from 'node:sqlite'
import { SqlError } from '../errors/index.ts'
import { Connection } from './connection.ts'
import { asReadOnly, assertDatabaseFile, openingFailure, withRollbackJournal } from './database-file.ts'
import { exactInteger } from './exact-integer.ts'
import { NodeSqliteStatement } from './node-sqlite-statement.ts'
import { durablePragmas, memoryPragmas } from './pragmas.ts'
import { quoteName } from './quote-name.ts'
import type { SqliteDriver, SqliteDriverFactory, SqliteStatement, SqlValue } from './sqlite-driver.ts'

/** Where the database of `nodeSqliteDriver` lies. */
export interface NodeSqliteDriverOptions {
  /** The path of its file, made if missing. Without one the database is in memory. */
  readonly file?: string | undefined
  /**
   * Whether a commit that has returned is on the disk; `true` if not given. With `false` the file is as good as memory: faster,
   * and worth nothing after the process that wrote it was killed.
   */
  readonly durable?: boolean | undefined
}

/**
 * Databases on `node:sqlite`: in memory, or with `file` in that file, where a commit that has returned is on the disk.
 * `open` throws `SqlError` where Node has no SQLite (it came with 22.13), the bytes are no SQLite file, or bytes are
 * given although the file already has contents.
 */
export function nodeSqliteDriver(options: NodeSqliteDriverOptions = {}): SqliteDriverFactory {
  const { file, durable = true } = options
  return {
    open: async (bytes) => (file === undefined ? openInMemory(bytes) : openFile(file, bytes, durable)),
  }
}

function openFile(file: string, bytes: Uint8Array | undefined, durable: boolean): SqliteDriver {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (bytes !== undefined) {
    if (size > 0) {
      throw new SqlError(`${file} already holds a database: open it without bytes, or remove it first`)
    }
    assertDatabaseFile(bytes)
    const written = `${file}.new`
    writeFileSync(written, bytes, { flush: durable })
    renameSync(written, file)
  } else if (size > 0 && !existsSync(`${file}-wal`) && !existsSync(`${file}-journal`)) {
    // With a journal beside it the file alone need not be whole.
    assertDatabaseFile(readHead(file), size)
  }
  return new NodeSqliteDriver(file, durable ? durablePragmas : memoryPragmas, { durable })
}

function openInMemory(bytes?: Uint8Array): SqliteDriver {
  if (bytes !== undefined) assertDatabaseFile(bytes)
  if (bytes === undefined || sqliteOfNode().DatabaseSync.prototype.deserialize !== undefined) {
    return new NodeSqliteDriver(':memory:', memoryPragmas, { contents: bytes })
  }
  const folder = temporaryFolder()
  try {
    const file = join(folder, 'memory.db')
    writeFileSync(file, withRollbackJournal(bytes))
    return new NodeSqliteDriver(file, memoryPragmas, { folder })
  } catch (error) {
    remove(folder)
    throw error
  }
}

/** `serialize` and `deserialize` came with Node 24.16. */
type DatabaseSync = Omit<NodeDatabase, 'serialize' | 'deserialize'> &
  Pick<Partial<NodeDatabase>, 'serialize' | 'deserialize'>

interface NodeSqlite {
  readonly DatabaseSync: { new (file: string): DatabaseSync; prototype: DatabaseSync }
}

/** Not an import, so that no bundler looks for it. */
function sqliteOfNode(): NodeSqlite {
  const sqlite = process.getBuiltinModule('node:sqlite') as NodeSqlite | undefined
  if (sqlite !== undefined) return sqlite
  throw new SqlError(`Node ${process.version} has no SQLite: use Node 22.13 or newer, or the sql.js driver`)
}

class NodeSqliteDriver implements SqliteDriver {
  readonly name = 'node:sqlite'
  readonly durable: boolean
  readonly #database: DatabaseSync
  /** Removed when the database is closed. */
  readonly #folders: string[]
  readonly #connection = new Connection()

  constructor(
    file: string,
    pragmas: string,
    options: { durable?: boolean; folder?: string; contents?: Uint8Array | undefined },
  ) {
    const { durable = false, folder, contents } = options
    this.#folders = folder === undefined ? [] : [folder]
    this.durable = durable
    this.#database = new (sqliteOfNode().DatabaseSync)(file)
    try {
      if (contents !== undefined) this.#database.deserialize?.(withRollbackJournal(contents))
      // Reading the schema is what makes SQLite look at the file.
      this.exec(`${pragmas} SELECT count(*) FROM sqlite_schema`)
    } catch (error) {
      this.close()
      throw openingFailure(error)
    }
  }

  exec(sql: string): void {
    this.#connection.attempt(() => this.#database.exec(sql))
  }

  prepare(sql: string): SqliteStatement {
    return this.#connection.attempt(() => new NodeSqliteStatement(this.#connection, this.#database.prepare(sql)))
  }

  createFunction(name: string, arity: number, fn: (...args: SqlValue[]) => SqlValue | undefined): void {
    this.#connection.assertOpen()
    const guarded = this.#connection.guard(
      arity,
      (...args: SqlValue[]): SqlValue => fn(...args.map(exactInteger)) ?? null,
    )
    this.#database.function(name, { useBigIntArguments: true }, guarded)
  }

  serialize(): Uint8Array {
    this.#connection.assertOpen()
    if (this.#database.isTransaction) {
      throw new SqlError('the database has an open transaction: commit it or roll it back before it is serialized')
    }
    if (this.#database.serialize !== undefined) return withRollbackJournal(this.#database.serialize())
    const folder = temporaryFolder()
    try {
      const file = join(folder, 'copy.db')
      this.prepare('VACUUM INTO ?').run([file])
      const bytes = readFileSync(file)
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    } finally {
      remove(folder)
    }
  }

  attach(name: string, bytes: Uint8Array): void {
    this.#connection.assertOpen()
    assertDatabaseFile(bytes)
    const folder = temporaryFolder()
    try {
      const file = join(folder, 'attached.db')
      writeFileSync(file, asReadOnly(bytes))
      this.prepare(`ATTACH ? AS ${quoteName(name)}`).run([`${pathToFileURL(file).href}?mode=ro`])
    } catch (error) {
      remove(folder)
      throw openingFailure(error)
    }
    this.#folders.push(folder)
  }

  openMemory(bytes?: Uint8Array): SqliteDriver {
    return openInMemory(bytes)
  }

  close(): void {
    if (!this.#connection.close()) return
    this.#database.close()
    for (const folder of this.#folders) remove(folder)
  }
}

function readHead(file: string): Uint8Array {
  const head = new Uint8Array(100)
  const descriptor = openSync(file, 'r')
  try {
    return head.subarray(0, readSync(descriptor, head))
  } finally {
    closeSync(descriptor)
  }
}

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'rowcast-'))
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

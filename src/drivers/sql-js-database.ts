import { SqlError, StoreClosedError } from '../errors/index.ts'
import { asReadOnly, assertDatabaseFile, openingFailure, withRollbackJournal } from './database-file.ts'
import { exactInteger } from './exact-integer.ts'
import { memoryPragmas } from './pragmas.ts'
import { quoteName } from './quote-name.ts'
import type { SqlJsDatabase, SqlJsModule } from './sql-js-module.ts'
import { SqlJsStatement, type StatementOwner } from './sql-js-statement.ts'
import type { SqliteDriver, SqliteStatement, SqlValue } from './sqlite-driver.ts'

/** A database in memory on sql.js. */
export class SqlJsDriver implements SqliteDriver, StatementOwner {
  readonly name = 'sql.js'
  readonly durable = false
  readonly #module: SqlJsModule
  readonly #database: SqlJsDatabase
  /** Connections that do nothing but keep the files of attached databases alive. */
  readonly #attached: SqlJsDatabase[] = []
  #isOpen = true
  /** What a SQL function threw, until the statement that it fails does so too. */
  #thrown: { readonly value: unknown } | undefined

  constructor(module: SqlJsModule, bytes: Uint8Array | undefined) {
    if (bytes !== undefined) assertDatabaseFile(bytes)
    this.#module = module
    this.#database = new module.Database(bytes === undefined ? undefined : withRollbackJournal(bytes))
    try {
      // Reading the schema is what makes SQLite look at the file.
      this.exec(`${memoryPragmas} SELECT count(*) FROM sqlite_schema`)
    } catch (error) {
      this.close()
      throw openingFailure(error)
    }
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  assertOpen(): void {
    if (!this.#isOpen) throw new StoreClosedError('the database')
  }

  failure(thrown: unknown): unknown {
    const own = this.#thrown
    if (own !== undefined) {
      this.#thrown = undefined
      return own.value
    }
    return new SqlError(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
  }

  exec(sql: string): void {
    this.assertOpen()
    try {
      this.#database.run(sql)
    } catch (thrown) {
      throw this.failure(thrown)
    }
  }

  prepare(sql: string): SqliteStatement {
    this.assertOpen()
    try {
      return new SqlJsStatement(this, this.#database.prepare(sql))
    } catch (thrown) {
      throw this.failure(thrown)
    }
  }

  createFunction(name: string, arity: number, fn: (...args: SqlValue[]) => SqlValue | undefined): void {
    this.assertOpen()
    const guarded = (...args: SqlValue[]): SqlValue | undefined => {
      try {
        return returnable(fn(...args))
      } catch (value) {
        this.#thrown = { value }
        throw value
      }
    }
    // sql.js takes the arity from here.
    Object.defineProperty(guarded, 'length', { value: arity })
    this.#database.create_function(name, guarded)
  }

  serialize(): Uint8Array {
    this.assertOpen()
    try {
      return this.#database.export()
    } catch (thrown) {
      throw this.failure(thrown)
    }
  }

  attach(name: string, bytes: Uint8Array): void {
    this.assertOpen()
    assertDatabaseFile(bytes)
    const holder = new this.#module.Database(asReadOnly(bytes))
    const { filename } = holder
    try {
      if (filename === undefined) throw new SqlError('this SQL.js does not name its files: use sql.js 1.16')
      this.exec(`ATTACH '${filename}' AS ${quoteName(name)}`)
    } catch (error) {
      holder.close()
      throw openingFailure(error)
    }
    this.#attached.push(holder)
  }

  openMemory(bytes?: Uint8Array): SqliteDriver {
    return new SqlJsDriver(this.#module, bytes)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#database.close()
    for (const holder of this.#attached) holder.close()
  }
}

/** sql.js would turn a bigint into NULL. */
function returnable(value: SqlValue | undefined): SqlValue | undefined {
  if (typeof value !== 'bigint') return typeof value === 'string' ? value.toWellFormed() : value
  const exact = exactInteger(value)
  if (typeof exact === 'number') return exact
  throw new SqlError(`a SQL function can't return the integer ${value} on sql.js: return it as text and cast it in SQL`)
}

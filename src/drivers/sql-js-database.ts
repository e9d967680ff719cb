import { SqlError } from '../errors/index.ts'
import { Connection } from './connection.ts'
import { asReadOnly, assertDatabaseFile, openingFailure, withRollbackJournal } from './database-file.ts'
import { exactInteger } from './exact-integer.ts'
import { memoryPragmas } from './pragmas.ts'
import { quoteName } from './quote-name.ts'
import type { SqlJsDatabase, SqlJsModule, SqlJsStatement as Native } from './sql-js-module.ts'
import { SqlJsStatement } from './sql-js-statement.ts'
import { withStableParameters } from './stable-parameters.ts'
import type { SqliteDriver, SqliteStatement, SqlValue } from './sqlite-driver.ts'

/** A database in memory on sql.js. */
export class SqlJsDriver implements SqliteDriver {
  readonly name = 'sql.js'
  readonly durable = false
  readonly #module: SqlJsModule
  readonly #database: SqlJsDatabase
  /** Connections that do nothing but keep the files of attached databases alive. */
  readonly #attached: SqlJsDatabase[] = []
  readonly #connection = new Connection()

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

  exec(sql: string): void {
    this.#connection.attempt(() => this.#database.run(sql))
  }

  prepare(sql: string): SqliteStatement {
    return this.#connection.attempt(() => {
      const native = this.#database.prepare(sql)
      const text = native.getSQL()
      return new SqlJsStatement(this.#connection, this.#stable(native, text) ?? native, text)
    })
  }

  /** The same statement, in words that are not prepared anew at each run; the one given is freed then. */
  #stable(native: Native, text: string): Native | undefined {
    const sql = withStableParameters(text)
    if (sql === undefined) return undefined
    let stable: Native
    try {
      stable = this.#database.prepare(sql)
    } catch {
      return undefined // Where SQLite takes nothing but a parameter, or its limits are reached.
    }
    const isSame = stable.getColumnNames().join('\0') === native.getColumnNames().join('\0')
    const [kept, dropped] = isSame ? [stable, native] : [native, stable]
    dropped.free()
    return kept
  }

  createFunction(name: string, arity: number, fn: (...args: SqlValue[]) => SqlValue | undefined): void {
    this.#connection.assertOpen()
    const guarded = this.#connection.guard(arity, (...args: SqlValue[]): SqlValue | undefined =>
      returnable(fn(...args)),
    )
    this.#database.create_function(name, guarded)
  }

  serialize(): Uint8Array {
    return this.#connection.attempt(() => this.#database.export())
  }

  attach(name: string, bytes: Uint8Array): void {
    this.#connection.assertOpen()
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
    if (!this.#connection.close()) return
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

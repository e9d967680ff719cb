import type { SqliteDriver, SqliteStatement } from '../drivers/index.ts'

/**
 * BEGIN, COMMIT, ROLLBACK and savepoints of one connection. A database in memory may leave a transaction open between
 * single statements: there a commit protects nothing and costs a third of an update (docs/decisions/002).
 */
export class TransactionStack {
  readonly #driver: SqliteDriver
  readonly #begin: SqliteStatement
  readonly #commit: SqliteStatement
  readonly #rollback: SqliteStatement
  /** A transaction that single statements share, committed before anything else begins. */
  #idle = false
  #idleWrites = 0
  #stuck = false
  #depth = 0
  readonly #savepoints = new Map<string, SqliteStatement>()

  constructor(driver: SqliteDriver) {
    this.#driver = driver
    this.#begin = driver.prepare('BEGIN')
    this.#commit = driver.prepare('COMMIT')
    this.#rollback = driver.prepare('ROLLBACK')
  }

  /** How many transactions are open, the outermost counted. */
  get depth(): number {
    return this.#depth
  }

  /** Before a single statement that is atomic by itself, outside any transaction. */
  single(): void {
    if (this.#stuck) this.#rollBack()
    if (this.#driver.durable) return
    // SQLite keeps a copy of every page changed since BEGIN.
    if (this.#idle && ++this.#idleWrites > 10_000) this.settle()
    if (this.#idle) return
    this.#begin.run()
    this.#idle = true
    this.#idleWrites = 0
  }

  /** Commits what single statements left open. */
  settle(): void {
    if (!this.#idle) return
    this.#commit.run()
    this.#idle = false
  }

  begin(): void {
    if (this.#depth === 0) {
      // A rollback that failed is tried again before anything else is done.
      if (this.#stuck) this.#rollBack()
      this.settle()
      this.#begin.run()
    } else this.#kept(`SAVEPOINT rowcast_${this.#depth}`).run()
    this.#depth++
  }

  /** Ends the innermost one well. Throws what SQLite says of deferred constraints; the transaction is still open then. */
  commit(): void {
    if (this.#depth === 1) this.#commit.run()
    else this.#kept(`RELEASE rowcast_${this.#depth - 1}`).run()
    this.#depth--
  }

  rollback(): void {
    this.#depth--
    if (this.#depth === 0) this.#rollBack()
    else this.#driver.exec(`ROLLBACK TO rowcast_${this.#depth}; RELEASE rowcast_${this.#depth}`)
  }

  #rollBack(): void {
    this.#stuck = true
    this.#rollback.run()
    this.#stuck = false
  }

  #kept(sql: string): SqliteStatement {
    let statement = this.#savepoints.get(sql)
    if (!statement) this.#savepoints.set(sql, (statement = this.#driver.prepare(sql)))
    return statement
  }

  finalize(): void {
    this.settle()
    for (const statement of this.#savepoints.values()) statement.finalize()
    for (const statement of [this.#begin, this.#commit, this.#rollback]) statement.finalize()
  }
}

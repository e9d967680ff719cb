import type { SqliteDriver, SqliteStatement } from '../../drivers/index.ts'

/** Prepared statements of queries, the least recently used dropped. */
export class StatementCache {
  readonly #driver: SqliteDriver
  readonly #statements = new Map<string, SqliteStatement>()
  readonly #limit: number

  constructor(driver: SqliteDriver, limit = 200) {
    this.#driver = driver
    this.#limit = limit
  }

  get(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql)
    if (statement) this.#statements.delete(sql)
    else statement = this.#driver.prepare(sql)
    this.#statements.set(sql, statement)
    if (this.#statements.size > this.#limit) {
      const [oldest, dropped] = this.#statements.entries().next().value!
      this.#statements.delete(oldest)
      dropped.finalize()
    }
    return statement
  }

  finalize(): void {
    for (const statement of this.#statements.values()) statement.finalize()
    this.#statements.clear()
  }
}

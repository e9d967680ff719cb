import type { SqliteDriver, SqliteStatement } from '../drivers/index.ts'
import type { RefusalCode } from '../transport/index.ts'
import type { Scope } from './applied-transactions.ts'
import type { Refusal, RefusedTransaction } from './refusals.ts'

/**
 * The refusals that the log has, beside the tables of the schema, so that a snapshot has them: what was refused before
 * another transaction of its author went in is not applied behind it, by whichever server and however late it comes again.
 */
export class RefusedTransactions {
  readonly #insert: SqliteStatement
  readonly #find: SqliteStatement
  readonly #driver: SqliteDriver

  constructor(driver: SqliteDriver) {
    this.#driver = driver
    driver.exec(
      `CREATE TABLE IF NOT EXISTS rowcast_refusals (
         id TEXT NOT NULL, scope TEXT NOT NULL, sequence INTEGER NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,
         PRIMARY KEY (id, scope)
       ) STRICT, WITHOUT ROWID`,
    )
    this.#insert = driver.prepare(
      'INSERT OR IGNORE INTO rowcast_refusals (id, scope, sequence, code, reason) VALUES (?, ?, ?, ?, ?)',
    )
    this.#find = driver.prepare('SELECT code, reason FROM rowcast_refusals WHERE id = ? AND scope = ?')
  }

  find(scope: Scope, id: string): Refusal | undefined {
    const found = this.#find.get([id, scope])
    return found && { code: found[0] as RefusalCode, reason: found[1] as string }
  }

  /** @param sequence the entry that says so */
  add(scope: Scope, { id, code, reason }: RefusedTransaction, sequence: number): void {
    this.#insert.run([id, scope, sequence, code, reason])
  }

  /** Forgets what old entries say. */
  forgetBefore(sequence: number): void {
    if (sequence > 0) this.#driver.exec(`DELETE FROM rowcast_refusals WHERE sequence < ${sequence}`)
  }

  finalize(): void {
    for (const statement of [this.#insert, this.#find]) statement.finalize()
  }
}

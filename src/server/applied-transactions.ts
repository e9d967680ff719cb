import type { SqliteDriver, SqliteStatement } from '../drivers/index.ts'

/**
 * What a server keeps in a database beside the tables of the schema, so that a snapshot has it: which incarnation of the
 * database this is, and the ids of the transactions that went in, so that none is applied twice.
 */
export class AppliedTransactions {
  readonly #insert: SqliteStatement
  readonly #find: SqliteStatement
  readonly #remove: SqliteStatement
  readonly #driver: SqliteDriver

  constructor(driver: SqliteDriver) {
    this.#driver = driver
    driver.exec(
      `CREATE TABLE IF NOT EXISTS rowcast_server (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;
       CREATE TABLE IF NOT EXISTS rowcast_transactions (id TEXT PRIMARY KEY NOT NULL, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
    )
    this.#insert = driver.prepare('INSERT OR REPLACE INTO rowcast_transactions (id, sequence) VALUES (?, ?)')
    this.#find = driver.prepare('SELECT sequence FROM rowcast_transactions WHERE id = ?')
    this.#remove = driver.prepare('DELETE FROM rowcast_transactions WHERE id = ?')
  }

  /** The sequence number of a transaction that went in. */
  find(id: string): number | undefined {
    const found = this.#find.get([id])
    return found && Number(found[0])
  }

  add(id: string, sequence: number): void {
    this.#insert.run([id, sequence])
  }

  remove(id: string): void {
    this.#remove.run([id])
  }

  /** Forgets the ids of old transactions. */
  forgetBefore(sequence: number): void {
    if (sequence > 0) this.#driver.exec(`DELETE FROM rowcast_transactions WHERE sequence < ${sequence}`)
  }

  /** A fact about this database, such as its incarnation. */
  fact(key: string): string | undefined {
    const statement = this.#driver.prepare('SELECT value FROM rowcast_server WHERE key = ?')
    try {
      return statement.get([key])?.[0] as string | undefined
    } finally {
      statement.finalize()
    }
  }

  setFact(key: string, value: string): void {
    const statement = this.#driver.prepare('INSERT OR REPLACE INTO rowcast_server (key, value) VALUES (?, ?)')
    try {
      statement.run([key, value])
    } finally {
      statement.finalize()
    }
  }

  finalize(): void {
    for (const statement of [this.#insert, this.#find, this.#remove]) statement.finalize()
  }
}

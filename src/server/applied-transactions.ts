import type { SqliteDriver, SqliteStatement } from '../drivers/index.ts'

/** Whose ids are meant: each user's are their own, and those of all whom nobody knows are one user's. */
export type Scope = string

/** Ids of before it was known whose they are: they count for everyone. */
export const ANYONE: Scope = '*'

/** The scope of a user's `id`; without one, that of those whom nobody knows. */
export function scopeOf(user: string | undefined): Scope {
  return user === undefined ? '' : `=${user}`
}

/**
 * What a server keeps in a database beside the tables of the schema, so that a snapshot has it: which incarnation of the
 * database this is, and the ids of the transactions that went in, by author, so that none is applied twice.
 */
export class AppliedTransactions {
  readonly #insert: SqliteStatement
  readonly #find: SqliteStatement
  readonly #remove: SqliteStatement
  readonly #driver: SqliteDriver

  constructor(driver: SqliteDriver) {
    this.#driver = driver
    const old = hasAuthorlessIds(driver)
    if (old) driver.exec('ALTER TABLE rowcast_transactions RENAME TO rowcast_old_transactions')
    driver.exec(
      `CREATE TABLE IF NOT EXISTS rowcast_server (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;
       CREATE TABLE IF NOT EXISTS rowcast_transactions (
         id TEXT NOT NULL, scope TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (id, scope)
       ) STRICT, WITHOUT ROWID`,
    )
    if (old)
      driver.exec(
        `INSERT INTO rowcast_transactions SELECT id, '${ANYONE}', sequence FROM rowcast_old_transactions;
         DROP TABLE rowcast_old_transactions`,
      )
    this.#insert = driver.prepare('INSERT OR REPLACE INTO rowcast_transactions (id, scope, sequence) VALUES (?, ?, ?)')
    this.#find = driver.prepare(
      `SELECT sequence FROM rowcast_transactions WHERE id = ? AND scope IN (?, '${ANYONE}') ORDER BY sequence DESC`,
    )
    this.#remove = driver.prepare('DELETE FROM rowcast_transactions WHERE id = ? AND scope = ?')
  }

  /** The sequence number of a transaction of this author that went in. */
  find(scope: Scope, id: string): number | undefined {
    const found = this.#find.get([id, scope])
    return found && Number(found[0])
  }

  add(scope: Scope, id: string, sequence: number): void {
    this.#insert.run([id, scope, sequence])
  }

  remove(scope: Scope, id: string): void {
    this.#remove.run([id, scope])
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

/** Whether the table of ids is one of before they had authors. */
function hasAuthorlessIds(driver: SqliteDriver): boolean {
  const statement = driver.prepare(
    "SELECT count(*), coalesce(sum(name = 'scope'), 0) FROM pragma_table_info('rowcast_transactions')",
  )
  try {
    const [columns, scopes] = statement.get()!
    return Number(columns) > 0 && Number(scopes) === 0
  } finally {
    statement.finalize()
  }
}

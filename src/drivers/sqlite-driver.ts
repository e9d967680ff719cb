/** A value that SQLite stores. Booleans are 0 and 1, JSON is text. */
export type SqlValue = null | number | bigint | string | Uint8Array

/**
 * A prepared statement. It belongs to its driver and is not re-entrant: while it runs or is iterated (also within a SQL
 * function that it calls) it must not be used again. Other statements may be. It is reset after each use, also one that
 * throws. What SQLite refuses is thrown as `SqlError` with SQLite's message, what a SQL function threw as it was.
 *
 * Parameters are bound by position, missing ones as NULL. A whole number is an INTEGER (on sql.js, one beyond 32 bits
 * becomes so only in a column of INTEGER affinity, a bigint beyond 2^53 too); `NaN` is NULL, `-0` is 0, a lone surrogate
 * is stored as U+FFFD.
 */
export interface SqliteStatement {
  /** Runs a statement to its end; rows that it gives are dropped. */
  run(parameters?: readonly SqlValue[]): void
  /** The first row as an array in column order, or `undefined`. */
  get(parameters?: readonly SqlValue[]): SqlValue[] | undefined
  /** Every row as an array in column order. */
  all(parameters?: readonly SqlValue[]): SqlValue[][]
  /** Rows one by one; ending the loop early resets the statement. */
  iterate(parameters?: readonly SqlValue[]): IterableIterator<SqlValue[]>
  /** The names of the result's columns, `[]` for a statement that gives none. */
  readonly columns: readonly string[]
  /** The text of this statement alone, without what follows its semicolon. */
  readonly text: string
  /** Frees it. A later call throws. */
  finalize(): void
}

/**
 * The narrow seam to SQLite. Integers in results come back as `number` where that is exact and as `bigint` beyond 2^53, on every
 * driver; nothing is rounded.
 */
export interface SqliteDriver {
  /** What this driver is, for messages: `sql.js`, `node:sqlite`. */
  readonly name: string
  /** Whether a commit reaches a disk. A driver in memory may keep a transaction open between writes. */
  readonly durable: boolean
  /** Runs one or more statements without parameters or results. Those before one that fails have taken effect. */
  exec(sql: string): void
  /** Prepares the first statement of a text. Throws `SqlError` where there is none. */
  prepare(sql: string): SqliteStatement
  /**
   * Registers a SQL function of a fixed number of arguments. What it throws fails its statement and is thrown by it. The
   * function may run other statements. On sql.js an INTEGER argument beyond 2^53 arrives rounded, and a result beyond it
   * fails: pass `CAST(x AS TEXT)` where that matters. A number that it returns is a REAL in SQL.
   */
  createFunction(name: string, arity: number, fn: (...args: SqlValue[]) => SqlValue | undefined): void
  /** The database as the bytes of a `.db` file. Throws `SqlError` while a transaction is open. */
  serialize(): Uint8Array
  /** Attaches another database file, read-only, under a name. Throws `SqlError` where it is no whole SQLite file. */
  attach(name: string, bytes: Uint8Array): void
  /** Opens another database of the same kind, in memory. */
  openMemory(bytes?: Uint8Array): SqliteDriver
  /** Closes the database; every other call then throws `StoreClosedError`. Safe to call twice. */
  close(): void
}

/** Opens databases: what `createStore({ driver })` takes. */
export interface SqliteDriverFactory {
  /** Opens a database in memory (or the factory's own file), with the contents of `bytes` if given. Throws `SqlError`. */
  open(bytes?: Uint8Array): Promise<SqliteDriver>
}

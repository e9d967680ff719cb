import { sqlJsDriver, type SqliteDriver, type SqliteDriverFactory, type SqliteStatement, type SqlValue } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { describe } from 'vitest'

const DRIVERS: readonly (readonly [name: string, driver: () => SqliteDriverFactory])[] = [
  ['sql.js', () => sqlJsDriver()],
  ['node:sqlite', () => nodeSqliteDriver()],
]

/** Runs a suite once on every driver. */
export function describeEachDriver(title: string, suite: (driver: () => SqliteDriverFactory) => void): void {
  for (const [name, driver] of DRIVERS)
    describe(`${title} on ${name}`, () => {
      suite(driver)
    })
}

/** How often a driver was asked to do something. */
export interface DriverWork {
  /** Statements that gave rows. */
  reads: number
  /** Statements run for their effect, `exec` included. */
  runs: number
  /** Statements prepared. */
  prepares: number
}

/** What was read, by the texts of the statements. */
export type ReadsByText = Map<
  string,
  {
    /** How often the statement was asked for rows. */
    readonly reads: number
    /** How many it gave. */
    readonly rows: number
  }
>

/** A real driver that counts what it is asked to do. */
export function countingDriver(factory: SqliteDriverFactory): {
  readonly driver: SqliteDriverFactory
  readonly work: DriverWork
  /** To be cleared to count anew. */
  readonly byText: ReadsByText
  /** What was executed as a text, in its order. */
  readonly executed: string[]
} {
  const work: DriverWork = { reads: 0, runs: 0, prepares: 0 }
  const byText: ReadsByText = new Map()
  const executed: string[] = []
  const count = (text: string, reads: number, rows: number): void => {
    work.reads += reads
    const known = byText.get(text)
    byText.set(text, { reads: (known?.reads ?? 0) + reads, rows: (known?.rows ?? 0) + rows })
  }
  function* countRows(text: string, rows: ReturnType<SqliteStatement['iterate']>): typeof rows {
    for (const row of rows) {
      count(text, 0, 1)
      yield row
    }
  }
  const countStatement = (statement: SqliteStatement): SqliteStatement => ({
    get columns() {
      return statement.columns
    },
    get text() {
      return statement.text
    },
    run: (parameters?: readonly SqlValue[]) => {
      work.runs++
      statement.run(parameters)
    },
    get: (parameters?: readonly SqlValue[]) => {
      const row = statement.get(parameters)
      count(statement.text, 1, row ? 1 : 0)
      return row
    },
    all: (parameters?: readonly SqlValue[]) => {
      const rows = statement.all(parameters)
      count(statement.text, 1, rows.length)
      return rows
    },
    iterate: (parameters?: readonly SqlValue[]) => {
      count(statement.text, 1, 0)
      return countRows(statement.text, statement.iterate(parameters))
    },
    finalize: () => statement.finalize(),
  })
  const countDriver = (driver: SqliteDriver): SqliteDriver => ({
    name: driver.name,
    durable: driver.durable,
    exec: (sql) => {
      work.runs++
      executed.push(sql)
      driver.exec(sql)
    },
    prepare: (sql) => {
      work.prepares++
      return countStatement(driver.prepare(sql))
    },
    createFunction: (name, arity, fn) => driver.createFunction(name, arity, fn),
    serialize: () => driver.serialize(),
    attach: (name, bytes) => driver.attach(name, bytes),
    openMemory: (bytes) => countDriver(driver.openMemory(bytes)),
    close: () => driver.close(),
  })
  return { work, byText, executed, driver: { open: async (bytes) => countDriver(await factory.open(bytes)) } }
}

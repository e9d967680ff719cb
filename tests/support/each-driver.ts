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

/** A real driver that counts what it is asked to do. */
export function countingDriver(factory: SqliteDriverFactory): {
  readonly driver: SqliteDriverFactory
  readonly work: DriverWork
} {
  const work: DriverWork = { reads: 0, runs: 0, prepares: 0 }
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
      work.reads++
      return statement.get(parameters)
    },
    all: (parameters?: readonly SqlValue[]) => {
      work.reads++
      return statement.all(parameters)
    },
    iterate: (parameters?: readonly SqlValue[]) => {
      work.reads++
      return statement.iterate(parameters)
    },
    finalize: () => statement.finalize(),
  })
  const countDriver = (driver: SqliteDriver): SqliteDriver => ({
    name: driver.name,
    durable: driver.durable,
    exec: (sql) => {
      work.runs++
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
  return { work, driver: { open: async (bytes) => countDriver(await factory.open(bytes)) } }
}

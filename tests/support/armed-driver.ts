import type { SqliteDriver, SqliteDriverFactory, SqliteStatement, SqlValue } from 'rowcast'
import { InjectedFault } from './faulty-driver.ts'

/** A driver that can be told to fail. */
export interface ArmedDriver {
  readonly factory: SqliteDriverFactory
  /** Lets the n-th call from now (1 for the next; of exec, prepare, run, get, all, iterate, serialize) throw InjectedFault, once. */
  arm(failAt: number): void
  /** Lets every call through. Returns whether one was refused since `arm`. */
  disarm(): boolean
}

/** A real driver with a fault to come, in the databases that it opens beside itself as well. */
export function armedDriver(real: SqliteDriverFactory): ArmedDriver {
  let left = Infinity
  let fired = false
  const attempt = <Result>(work: () => Result): Result => {
    left -= 1
    if (left === 0) {
      fired = true
      throw new InjectedFault('the injected fault')
    }
    return work()
  }
  const wrapStatement = (statement: SqliteStatement): SqliteStatement => ({
    get columns() {
      return statement.columns
    },
    get text() {
      return statement.text
    },
    run: (parameters?: readonly SqlValue[]) => attempt(() => statement.run(parameters)),
    get: (parameters?: readonly SqlValue[]) => attempt(() => statement.get(parameters)),
    all: (parameters?: readonly SqlValue[]) => attempt(() => statement.all(parameters)),
    iterate: (parameters?: readonly SqlValue[]) => attempt(() => statement.iterate(parameters)),
    finalize: () => statement.finalize(),
  })
  const wrap = (driver: SqliteDriver): SqliteDriver => ({
    name: driver.name,
    durable: driver.durable,
    exec: (sql) => attempt(() => driver.exec(sql)),
    prepare: (sql) => attempt(() => wrapStatement(driver.prepare(sql))),
    createFunction: (name, arity, fn) => driver.createFunction(name, arity, fn),
    serialize: () => attempt(() => driver.serialize()),
    attach: (name, bytes) => attempt(() => driver.attach(name, bytes)),
    openMemory: (bytes) => wrap(attempt(() => driver.openMemory(bytes))),
    close: () => driver.close(),
  })
  return {
    factory: { open: async (bytes) => wrap(await real.open(bytes)) },
    arm: (failAt) => {
      left = failAt
      fired = false
    },
    disarm: () => {
      left = Infinity
      return fired
    },
  }
}

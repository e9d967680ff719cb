import type { SqliteDriver, SqliteStatement, SqlValue } from '../../src/drivers/index.ts'

/** What a faulty driver throws. */
export class InjectedFault extends Error {}

/** A driver with the number of calls that reached SQLite so far. */
export interface FaultyDriver extends SqliteDriver {
  readonly calls: number
}

/**
 * A driver whose `failAt`-th call (1 for the first; of exec, prepare, run, get, all, or a step of iterate) throws
 * InjectedFault instead of reaching SQLite. Every other call goes through. Without `failAt` it only counts.
 */
export function faultyDriver(driver: SqliteDriver, failAt: number = Infinity): FaultyDriver {
  let calls = 0
  const attempt = <Result>(work: () => Result): Result => {
    calls += 1
    if (calls === failAt) throw new InjectedFault(`fault at call ${failAt}`)
    return work()
  }
  return {
    name: driver.name,
    durable: driver.durable,
    get calls() {
      return calls
    },
    exec: (sql) => attempt(() => driver.exec(sql)),
    prepare: (sql) => attempt(() => faultyStatement(driver.prepare(sql), attempt)),
    createFunction: (name, arity, fn) => driver.createFunction(name, arity, fn),
    serialize: () => driver.serialize(),
    attach: (name, bytes) => driver.attach(name, bytes),
    openMemory: (bytes) => driver.openMemory(bytes),
    close: () => driver.close(),
  }
}

function faultyStatement(statement: SqliteStatement, attempt: <Result>(work: () => Result) => Result): SqliteStatement {
  return {
    columns: statement.columns,
    text: statement.text,
    run: (parameters) => attempt(() => statement.run(parameters)),
    get: (parameters) => attempt(() => statement.get(parameters)),
    all: (parameters) => attempt(() => statement.all(parameters)),
    *iterate(parameters): Generator<SqlValue[], undefined> {
      for (const row of statement.iterate(parameters)) {
        attempt(() => undefined)
        yield row
      }
    },
    finalize: () => statement.finalize(),
  }
}

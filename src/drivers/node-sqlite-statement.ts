import type { Connection } from './connection.ts'
import type { StatementSync } from 'node:sqlite'
import { StoreClosedError } from '../errors/index.ts'
import { exactInteger } from './exact-integer.ts'
import type { SqliteStatement, SqlValue } from './sqlite-driver.ts'

const none: readonly SqlValue[] = []

/** A kept statement of node:sqlite, which resets it itself. */
export class NodeSqliteStatement implements SqliteStatement {
  readonly text: string
  readonly columns: readonly string[]
  readonly #owner: Connection
  readonly #native: StatementSync
  #finalized = false

  constructor(owner: Connection, native: StatementSync) {
    this.#owner = owner
    this.#native = native
    this.text = native.sourceSQL
    this.columns = native.columns().map((column) => column.name)
    native.setReturnArrays(true)
    // As numbers, an integer beyond 2^53 would be refused only after the statement has run.
    native.setReadBigInts(true)
  }

  run(parameters: readonly SqlValue[] = none): void {
    this.#assertUsable()
    try {
      // `run` of node:sqlite stops at the first row.
      if (this.columns.length > 0) this.#native.all(...bindable(parameters))
      else this.#native.run(...bindable(parameters))
    } catch (thrown) {
      throw this.#owner.failure(thrown)
    }
  }

  get(parameters: readonly SqlValue[] = none): SqlValue[] | undefined {
    this.#assertUsable()
    try {
      const row = this.#native.get(...bindable(parameters)) as unknown as SqlValue[] | undefined
      return row === undefined ? undefined : exactRow(row)
    } catch (thrown) {
      throw this.#owner.failure(thrown)
    }
  }

  all(parameters: readonly SqlValue[] = none): SqlValue[][] {
    this.#assertUsable()
    try {
      return (this.#native.all(...bindable(parameters)) as unknown as SqlValue[][]).map(exactRow)
    } catch (thrown) {
      throw this.#owner.failure(thrown)
    }
  }

  *iterate(parameters: readonly SqlValue[] = none): Generator<SqlValue[], undefined> {
    this.#assertUsable()
    const rows = this.#attempt(() => this.#native.iterate(...bindable(parameters)))
    try {
      while (true) {
        const step = this.#attempt(() => rows.next())
        if (step.done === true) return
        yield exactRow(step.value as unknown as SqlValue[])
        this.#assertUsable()
      }
    } finally {
      if (this.#owner.isOpen) rows.return?.()
    }
  }

  finalize(): void {
    this.#finalized = true
  }

  /** Unlike a `try` around the loop, this leaves alone what the loop's body throws. */
  #attempt<T>(work: () => T): T {
    try {
      return work()
    } catch (thrown) {
      throw this.#owner.failure(thrown)
    }
  }

  #assertUsable(): void {
    this.#owner.assertOpen()
    if (this.#finalized) throw new StoreClosedError('the statement')
  }
}

/** node:sqlite binds every number as REAL: whole ones go in as bigint. */
function bindable(parameters: readonly SqlValue[]): SqlValue[] {
  return parameters.map((value) => (Number.isSafeInteger(value) ? BigInt(value as number) : value))
}

function exactRow(row: SqlValue[]): SqlValue[] {
  for (let index = 0; index < row.length; index += 1) {
    const value = row[index]
    if (typeof value === 'bigint') row[index] = exactInteger(value)
  }
  return row
}

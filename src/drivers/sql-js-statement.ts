import type { Connection } from './connection.ts'
import { StoreClosedError } from '../errors/index.ts'
import { exactInteger } from './exact-integer.ts'
import type { SqlJsStatement as Native } from './sql-js-module.ts'
import type { SqliteStatement, SqlValue } from './sqlite-driver.ts'

/** What the types of sql.js say it binds; it binds bigint too. */
type Bindable = Exclude<SqlValue, bigint>

const none: readonly SqlValue[] = []

/** A kept statement of sql.js: reset after every use, however it ended, so that it never holds a transaction open. */
export class SqlJsStatement implements SqliteStatement {
  readonly text: string
  readonly columns: readonly string[]
  readonly #owner: Connection
  readonly #native: Native
  #finalized = false

  /** @param text what was asked for, which may be prepared in other words */
  constructor(owner: Connection, native: Native, text: string) {
    this.#owner = owner
    this.#native = native
    this.text = text
    this.columns = native.getColumnNames()
  }

  run(parameters: readonly SqlValue[] = none): void {
    this.#assertUsable()
    const native = this.#native
    try {
      native.bind(bindable(parameters))
      while (native.step());
    } catch (thrown) {
      throw this.#owner.failure(thrown)
    } finally {
      native.reset()
    }
  }

  get(parameters: readonly SqlValue[] = none): SqlValue[] | undefined {
    this.#assertUsable()
    const native = this.#native
    try {
      native.bind(bindable(parameters))
      return native.step() ? readRow(native) : undefined
    } catch (thrown) {
      throw this.#owner.failure(thrown)
    } finally {
      native.reset()
    }
  }

  all(parameters: readonly SqlValue[] = none): SqlValue[][] {
    this.#assertUsable()
    const native = this.#native
    const rows: SqlValue[][] = []
    try {
      native.bind(bindable(parameters))
      while (native.step()) rows.push(readRow(native))
      return rows
    } catch (thrown) {
      throw this.#owner.failure(thrown)
    } finally {
      native.reset()
    }
  }

  *iterate(parameters: readonly SqlValue[] = none): Generator<SqlValue[], undefined> {
    this.#assertUsable()
    const native = this.#native
    try {
      this.#attempt(() => native.bind(bindable(parameters)))
      while (this.#attempt(() => native.step())) {
        yield readRow(native)
        this.#assertUsable()
      }
    } finally {
      if (this.#isUsable()) native.reset()
    }
  }

  finalize(): void {
    if (this.#finalized) return
    if (this.#isUsable()) this.#native.free()
    this.#finalized = true
  }

  /** Unlike a `try` around the loop, this leaves alone what the loop's body throws. */
  #attempt(work: () => boolean): boolean {
    try {
      return work()
    } catch (thrown) {
      throw this.#owner.failure(thrown)
    }
  }

  #isUsable(): boolean {
    return !this.#finalized && this.#owner.isOpen
  }

  #assertUsable(): void {
    this.#owner.assertOpen()
    if (this.#finalized) throw new StoreClosedError('the statement')
  }
}

/**
 * The parameters as sql.js binds them without loss: it would write a lone surrogate as invalid UTF-8, and binds a bigint
 * as text, which a column of INTEGER affinity takes back exactly; small ones need not rely on that.
 */
function bindable(parameters: readonly SqlValue[]): Bindable[] {
  const values = parameters as Bindable[]
  for (let index = 0; index < values.length; index += 1) {
    const value = parameters[index]
    if (typeof value === 'bigint' || (typeof value === 'string' && !value.isWellFormed())) {
      return parameters.map(converted) as Bindable[]
    }
  }
  return values
}

function converted(value: SqlValue): SqlValue {
  return typeof value === 'string' ? value.toWellFormed() : exactInteger(value)
}

/** The current row; it is read a second time where an integer may have been rounded. */
function readRow(native: Native): SqlValue[] {
  const row = native.get()
  for (let index = 0; index < row.length; index += 1) {
    const value = row[index]
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) return readExact(native)
  }
  return row
}

function readExact(native: Native): SqlValue[] {
  return native.get(null, { useBigInt: true }).map(exactInteger)
}

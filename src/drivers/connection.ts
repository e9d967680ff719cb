import { SqlError, StoreClosedError } from '../errors/index.ts'

/** What a driver and its statements know of their database, whichever SQLite it is: whether it is open, and what failed. */
export class Connection {
  #isOpen = true
  /** What a SQL function threw, until the statement that it fails does so too. */
  #thrown: { readonly value: unknown } | undefined

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Throws StoreClosedError if the database is closed. */
  assertOpen(): void {
    if (!this.#isOpen) throw new StoreClosedError('the database')
  }

  /** What to throw for what SQLite threw. */
  failure(thrown: unknown): unknown {
    const own = this.#thrown
    if (own !== undefined) {
      this.#thrown = undefined
      return own.value
    }
    return new SqlError(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
  }

  /** Runs something on the open database. Throws what `failure` makes of what it throws. */
  attempt<Result>(run: () => Result): Result {
    this.assertOpen()
    try {
      return run()
    } catch (thrown) {
      throw this.failure(thrown)
    }
  }

  /** A SQL function of which both drivers take the arity from its length. What it throws fails its statement. */
  guard<Args extends readonly unknown[], Result>(
    arity: number,
    fn: (...args: Args) => Result,
  ): (...args: Args) => Result {
    const guarded = (...args: Args): Result => {
      try {
        return fn(...args)
      } catch (value) {
        this.#thrown = { value }
        throw value
      }
    }
    return Object.defineProperty(guarded, 'length', { value: arity })
  }

  /** Marks it closed. Whether it was open. */
  close(): boolean {
    const wasOpen = this.#isOpen
    this.#isOpen = false
    return wasOpen
  }
}

import { SqlError } from '../../errors/index.ts'
import type { SqliteDriver } from '../../drivers/index.ts'

/** Runs `work` in one transaction of its own: all of it is there afterwards, or, if it throws, nothing. */
export function inTransaction<Result>(driver: SqliteDriver, work: () => Result): Result {
  driver.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    driver.exec('COMMIT')
    return result
  } catch (error) {
    rollBack(driver, error)
    throw error
  }
}

/** SQLite itself has rolled back already after some failures (a full disk). */
function rollBack(driver: SqliteDriver, reason: unknown): void {
  try {
    driver.exec('ROLLBACK')
  } catch (failure) {
    if (failure instanceof SqlError && failure.message.includes('no transaction is active')) return
    throw new SqlError('a failed transaction could not be rolled back: close the database and open it again', {
      cause: new AggregateError([reason, failure]),
    })
  }
}

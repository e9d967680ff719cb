import type { Engine } from '../engine.ts'
import { translateSqlError } from './sqlite-errors.ts'

/**
 * Runs writes of the store's own within the transaction that is open, which can go on without them. Throws what they throw,
 * as an error that says what it is about; then they are undone, and the engine knows of none of them.
 */
export function withinSavepoint<Result>(engine: Engine, run: () => Result): Result {
  const { driver, mark } = engine
  driver.exec('SAVEPOINT rowcast_part')
  try {
    const result = run()
    driver.exec('RELEASE rowcast_part')
    return result
  } catch (error) {
    const explained = translateSqlError(error, engine.models)
    driver.exec('ROLLBACK TO rowcast_part; RELEASE rowcast_part')
    engine.forgetSince(mark)
    throw explained
  }
}

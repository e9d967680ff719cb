import { allAtOnce, inOneStep, type Steps } from '../../changes/index.ts'
import type { Engine } from '../engine.ts'
import { translateSqlError } from './sqlite-errors.ts'

/**
 * Runs writes of the store's own within the transaction that is open, which can go on without them. Throws what they throw,
 * as an error that says what it is about; then they are undone, and the engine knows of none of them.
 */
export function withinSavepoint<Result>(engine: Engine, run: () => Result): Result {
  return allAtOnce(savepointInSteps(engine, inOneStep(run)))
}

/** The same in steps. What ends the transaction in their midst ends the savepoint as well. */
export function* savepointInSteps<Result>(engine: Engine, steps: Steps<Result>): Steps<Result> {
  const { driver, mark } = engine
  driver.exec('SAVEPOINT rowcast_part')
  try {
    const result = yield* steps
    driver.exec('RELEASE rowcast_part')
    return result
  } catch (error) {
    const explained = translateSqlError(error, engine.models)
    driver.exec('ROLLBACK TO rowcast_part; RELEASE rowcast_part')
    engine.forgetSince(mark)
    throw explained
  }
}

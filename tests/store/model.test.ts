import { expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'
import { firstSeed, Random } from '../support/random.ts'
import { randomStep } from '../support/random-steps.ts'
import { minimise } from '../support/minimise.ts'
import { runSteps } from '../support/store-runner.ts'

const STEPS = 400
const WANTED = 10_000

describeEachDriver('a store', (driver) => {
  test('is what the plain model of it is after each of 10,000 random steps', { timeout: 600_000 }, async () => {
    let done = 0
    for (let seed = firstSeed; done < WANTED; seed++) {
      const random = new Random(seed)
      const steps = Array.from({ length: STEPS }, () => randomStep(random))
      try {
        const run = await runSteps(steps, driver)
        expect(run.done).toBeGreaterThan(STEPS / 4)
        done += run.done
      } catch {
        const least = await minimise(steps, (some) => runSteps(some, driver))
        const text = least.steps.map((step) => JSON.stringify(step)).join('\n')
        throw new Error(`ROWCAST_SEED=${seed}: ${String(least.error)}\nafter\n${text}`, { cause: least.error })
      }
    }
  })
})

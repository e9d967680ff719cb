import { expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'
import { minimise } from '../support/minimise.ts'
import { runPinSteps } from '../support/pin-runner.ts'
import { randomPinStep } from '../support/pin-steps.ts'
import { firstSeed, Random } from '../support/random.ts'

const SEEDS = 40
const STEPS = 50

describeEachDriver('a store with drafts over optional objects', (driver) => {
  test(`keeps its promises after each of ${SEEDS} times ${STEPS} random steps`, { timeout: 120_000 }, async () => {
    for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
      const random = new Random(seed)
      const steps = Array.from({ length: STEPS }, () => randomPinStep(random))
      try {
        await expect(runPinSteps(steps, driver)).resolves.toBeUndefined()
      } catch {
        const least = await minimise(steps, (some) => runPinSteps(some, driver))
        const text = least.steps.map((step) => JSON.stringify(step)).join('\n')
        throw new Error(`ROWCAST_SEED=${seed}: ${String(least.error)}\nafter\n${text}`, { cause: least.error })
      }
    }
  })
})

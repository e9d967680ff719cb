import { expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'
import { firstSeed, Random } from '../support/random.ts'
import { randomStep } from '../support/random-steps.ts'
import { minimise } from '../support/minimise.ts'
import { runSteps } from '../support/store-runner.ts'

const STEPS = 400

const KEPT: readonly (readonly [what: string, rowBytes: number | undefined, wanted: number])[] = [
  ['', undefined, 10_000],
  [', where it keeps no row that nobody holds', 0, 3_000],
  [', where it keeps two or three rows', 1_200, 3_000],
]

describeEachDriver('a store', (driver) => {
  test.each(KEPT)(
    'is what the plain model of it is after each random step%s',
    { timeout: 600_000 },
    async (...given) => {
      const [, rowBytes, wanted] = given
      let done = 0
      for (let seed = firstSeed; done < wanted; seed++) {
        const random = new Random(seed)
        const steps = Array.from({ length: STEPS }, () => randomStep(random))
        try {
          const run = await runSteps(steps, driver, rowBytes)
          expect(run.done).toBeGreaterThan(STEPS / 4)
          expect(run.cautious).toBeLessThanOrEqual(run.done / 20)
          done += run.done
        } catch (thrown) {
          const least = await minimise(steps, (some) => runSteps(some, driver, rowBytes))
          const text = least.steps.map((step) => JSON.stringify(step)).join('\n')
          throw new Error(`ROWCAST_SEED=${seed}: ${String(least.error ?? thrown)}\nafter\n${text}`, { cause: thrown })
        }
      }
    },
  )
})

import { expect, test } from 'vitest'
import { expectConvergence } from '../../support/expect-convergence.ts'
import { firstSeed } from '../../support/random.ts'

const SEEDS = Number(process.env['ROWCAST_SEEDS'] ?? 50)

test(`five clients are equal to the server at rest, whatever the network did and whoever crashed (${SEEDS} seeds from ${firstSeed})`, async () => {
  for (let n = 0; n < SEEDS; n++) await expectConvergence({ seed: firstSeed + n, kept: 3 })
}, 600_000)

test('a seed determines all that happens', async () => {
  for (let n = 0; n < 3; n++) {
    const options = { seed: firstSeed + n, kept: 3 }
    expect(await expectConvergence(options)).toEqual(await expectConvergence(options))
  }
})

import { test } from 'vitest'
import { expectConvergence } from '../../support/expect-convergence.ts'
import { firstSeed } from '../../support/random.ts'
import { manyRules } from '../../support/scene-rules.ts'
import { withheldRules, withheldSchema } from '../../support/withheld-rules.ts'

const SEEDS = Number(process.env['ROWCAST_SEEDS'] ?? 50)

test(`at rest everyone has what they may see, however rows, rules and users changed (${SEEDS} seeds from ${firstSeed})`, async () => {
  for (let n = 0; n < SEEDS; n++) await expectConvergence({ seed: firstSeed + n, kept: 2, rules: manyRules })
}, 600_000)

test(`nobody has or is told of a field that is withheld from them, however rows, rules and users changed (${SEEDS} seeds from ${firstSeed})`, async () => {
  for (let n = 0; n < SEEDS; n++)
    await expectConvergence({ seed: firstSeed + n, kept: 2, rules: withheldRules, schema: withheldSchema })
}, 600_000)

// The random schedules of sync and of drafts, with as many seeds as a night has time for: `npm run test:night`.
// A seed that fails is named, with what replays it. ROWCAST_SEEDS is how many (1,000), ROWCAST_SEED the first of them.
import { spawnSync } from 'node:child_process'
import process from 'node:process'

const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--project', 'node', 'tests/transport/sync'],
  { stdio: 'inherit', env: { ...process.env, ROWCAST_SEEDS: process.env['ROWCAST_SEEDS'] ?? '1000' } },
)
process.exitCode = status ?? 1

// The random schedules of sync and of drafts, with as many seeds as a night has time for: `npm run test:night`.
// And the README followed in every bundler, with npm and with pnpm, on every Node that it names.
// A seed that fails is named, with what replays it. ROWCAST_SEEDS is how many (1,000), ROWCAST_SEED the first of them.
import { spawnSync } from 'node:child_process'
import process from 'node:process'

/** Runs the tests under `path`, and fails with them. */
function run(path: string, env: NodeJS.ProcessEnv): void {
  runNode(['node_modules/vitest/vitest.mjs', 'run', '--project', 'node', path], env)
}

function runNode(args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...env, ...process.env } })
  if (status !== 0) process.exitCode = status ?? 1
}

run('tests/transport/sync', { ROWCAST_SEEDS: '1000' })
// A minute of the hostile users, with times compared.
run('tests/server/hardening/soak.test.ts', { ROWCAST_SOAK_SECONDS: '60' })
// An hour of servers that are killed and frozen, and of a bucket that fails, in rounds that end in quiet.
run('tests/server/cluster/faults.test.ts', { ROWCAST_FAULT_SECONDS: '3600' })
// The README as tests/package/readme.ts follows it, in all the ways that take too long for every change.
runNode(['node_modules/tsdown/dist/run.mjs'])
runNode(['tests/package/readme.ts', 'vite7', 'next', 'webpack', 'node'])
runNode(['tests/package/readme.ts', 'pnpm', 'example', 'vite', 'together', 'vite7', 'next', 'webpack'])

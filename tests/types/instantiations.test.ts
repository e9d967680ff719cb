import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/**
 * Measured: 69,426 (TypeScript 7.0.2), a fifth of it headroom. To measure again:
 * `npx tsc -p tests/types/tsconfig.wide.json --noEmit --extendedDiagnostics --singleThreaded`.
 * A number far above it means that a type is spelled out that should be looked up.
 */
const MAX_INSTANTIATIONS = 83_000

const here = dirname(fileURLToPath(import.meta.url))
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

test('a table of more than a hundred attributes is typed within the pinned number of type instantiations', () => {
  // One checker: several would each instantiate some types again, and the sum would depend on the machine.
  const output = execFileSync(
    process.execPath,
    [tsc, '-p', join(here, 'tsconfig.wide.json'), '--noEmit', '--extendedDiagnostics', '--singleThreaded'],
    { encoding: 'utf8' },
  )
  const count = Number(/^Instantiations:\s+(\d+)$/m.exec(output)?.[1])
  expect(count).toBeGreaterThan(1_000)
  expect(count).toBeLessThanOrEqual(MAX_INSTANTIATIONS)
}, 60_000)

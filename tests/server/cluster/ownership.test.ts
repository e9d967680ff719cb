import { expect, test, vi } from 'vitest'
import { OwnershipWorld } from '../../support/ownership-world.ts'
import { firstSeed } from '../../support/random.ts'

vi.mock('node:zlib', () => import('../../support/zlib-at-once.ts'))

const SEEDS = Number(process.env['ROWCAST_SEEDS'] ?? 1_000)

test.each(['slots', 'stream'] as const)(
  `whatever stops, dies or comes late, nothing acknowledged is lost and nothing stale is told, on %s (${SEEDS} seeds from ${firstSeed})`,
  { timeout: 600_000 },
  async (kind) => {
    for (let n = 0; n < SEEDS; n++) {
      const seed = firstSeed + n
      try {
        const world = new OwnershipWorld(seed, kind)
        await world.run()
        expect(world.bucket.steps).toEqual([])
      } catch (error) {
        throw new Error(`seed ${seed} (ROWCAST_SEED=${seed} ROWCAST_SEEDS=1 replays it): ${String(error)}`, {
          cause: error,
        })
      }
    }
  },
)

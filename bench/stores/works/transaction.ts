import { keyOf } from '../../support/annotations.ts'
import type { Contender } from '../contender.ts'
import { collect, nextValue, opened, stateOf, timed, type Outcome, type Sizes, type Work } from '../work.ts'

/** Work 8: many rows moved at once, with a subscriber on every row, one on the table, and a renderer's arrays. */
async function run(contender: Contender, sizes: Sizes): Promise<Outcome> {
  const count = sizes['rows']!
  const world = await opened(contender, 'transaction', count)
  let heard = 0
  for (let index = 0; index < count; index++) await world.onRow(keyOf(index), () => void heard++)
  await world.onTable(() => undefined)
  heard = 0
  const ids = Array.from({ length: sizes['moved']! }, (_, index) => keyOf(index))
  const rounds = async (take?: () => number): Promise<number> => {
    let spent = 0
    collect()
    for (let time = 0; time < sizes['times']! + sizes['warm-up']!; time++) {
      const value = nextValue()
      const ms = await timed(async () => {
        const done = world.setMany(ids, value)
        if (done) await done
        const taken = take?.()
        if (taken !== undefined && taken < ids.length) throw new Error(`the mirror had ${taken} rows of ${ids.length}`)
      })
      if (time >= sizes['warm-up']!) spent += ms
    }
    return spent / sizes['times']!
  }
  const figures: Record<string, number> = { transaction: await rounds() }
  const state = { ...(await stateOf(world, count)), heard }
  const mirror = world.mirror?.()
  if (mirror) {
    mirror.take()
    figures['transaction and mirror'] = await rounds(mirror.take)
    await mirror.stop()
  }
  await world.close()
  return { figures, state }
}

export const transaction: Work = {
  name: 'transaction',
  unit: 'ms',
  sizes: { rows: 10_000, moved: 1_000, times: 5, 'warm-up': 20 },
  titles: {
    transaction: '8 1,000 rows moved in one transaction, 10,000 row subscribers',
    'transaction and mirror': '8 the same with a WebGL mirror',
  },
  run,
}

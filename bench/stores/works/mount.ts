import { keyOf } from '../../support/annotations.ts'
import type { Contender, Stop } from '../contender.ts'
import { collect, opened, stateOf, timed, type Outcome, type Sizes, type Work } from '../work.ts'

/** Work 4: what a long list costs when it is shown and hidden, beside reading each row once. */
async function run(contender: Contender, sizes: Sizes): Promise<Outcome> {
  const count = sizes['rows']!
  const world = await opened(contender, 'mount', count)
  const ids = Array.from({ length: count }, (_, index) => keyOf(index))
  collect()
  const read = await timed(() => {
    for (const id of ids) world.row(id)
  })
  let [heard, mount, unmount] = [0, 0, 0]
  for (let time = -sizes['warm-up']!; time < sizes['times']!; time++) {
    const stops: Stop[] = []
    const mounted = await timed(async () => {
      for (const id of ids) {
        const stop = world.onRow(id, () => void heard++)
        stops.push(stop instanceof Promise ? await stop : stop)
      }
    })
    const unmounted = await timed(async () => {
      for (const stop of stops) {
        const done = stop()
        if (done) await done
      }
    })
    if (time < 0) continue
    mount += mounted
    unmount += unmounted
  }
  heard = 0
  for (const id of ids.slice(0, 10)) await world.set(id, 500)
  const state = { ...(await stateOf(world, count)), heard }
  await world.close()
  const each = (ms: number): number => (ms * 1000) / count
  return {
    figures: {
      read: each(read),
      mount: each((mount + unmount) / sizes['times']!),
    },
    state,
  }
}

export const mount: Work = {
  name: 'mount',
  unit: 'µs a row',
  sizes: { rows: 10_000, times: 3, 'warm-up': 3 },
  titles: {
    mount: '4 10,000 row subscriptions begun and ended',
    read: '4 beside it: each row read once',
  },
  run,
}

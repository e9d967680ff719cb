import { keyOf } from '../../support/annotations.ts'
import type { Contender } from '../contender.ts'
import { collect, nextValue, opened, stateOf, timed, type Outcome, type Sizes, type Work } from '../work.ts'

/** Work 7: many edits that show at once, and are then put back or kept together. */
async function run(contender: Contender, sizes: Sizes): Promise<Outcome> {
  const world = await opened(contender, 'draft', sizes['rows']!)
  let heard = 0
  for (let index = 0; index < 20; index++) await world.onField(keyOf(5), () => void heard++)
  await world.onTable(() => void heard++)
  const ids = Array.from({ length: sizes['edits']! }, (_, index) => keyOf(index))
  const round = async (end: 'commit' | 'cancel'): Promise<number> => {
    const value = nextValue()
    return timed(async () => {
      const draft = world.draft!()
      for (const id of ids) draft.set(id, value)
      if ((await world.value(ids[0]!)) !== value) throw new Error('an edit of the draft did not show')
      const done = draft[end]()
      if (done) await done
    })
  }
  const spent = { cancel: 0, commit: 0 }
  collect()
  for (let time = -sizes['warm-up']!; time < sizes['times']!; time++)
    for (const end of ['cancel', 'commit'] as const) {
      const ms = await round(end)
      if (time >= 0) spent[end] += ms / sizes['times']!
    }
  if (heard === 0) throw new Error('nobody was told of the drafts')
  const cancelled = await round('cancel')
  if (!(cancelled > 0)) throw new Error('no time')
  const state = await stateOf(world, sizes['rows']!)
  await world.close()
  return { figures: { cancel: spent.cancel, commit: spent.commit }, state }
}

export const draft: Work = {
  name: 'draft',
  unit: 'ms',
  sizes: { rows: 10_000, edits: 1_000, times: 3, 'warm-up': 10 },
  titles: {
    cancel: '7 draft: opened, 1,000 edits, cancelled',
    commit: '7 draft: opened, 1,000 edits, committed',
  },
  run,
}

import { filtered, keyOf, moved, valuesOf } from '../../support/annotations.ts'
import type { Contender, Maybe, Stop, World } from '../contender.ts'
import { collect, opened, stateOf, type Outcome, type Sizes, type Work } from '../work.ts'

const from = 52

interface Watched {
  /** µs of each kind of change. */
  readonly micros: { readonly moved: number; readonly changed: number; readonly out: number }
  readonly ids: readonly string[]
  readonly stop: Stop
}

/** A live query of 50 rows; one row is changed inside the window, moved into it, and out of it. */
export async function watch(world: World, sizes: Sizes): Promise<Watched> {
  const count = sizes['rows']!
  const heard = { times: 0, ids: [] as readonly string[] }
  const stop = await world.onQuery({ where: filtered, from, to: 1_000_000, by: moved, limit: 50 }, (ids) => {
    heard.times++
    heard.ids = ids
  })
  // Of rows that pass the filter, and are at the end of the order.
  const below = Array.from({ length: count }, (_, index) => index).filter(
    (index) => valuesOf(index)[1]! >= from && valuesOf(index)[0]! < 60,
  )
  const spent = { moved: 0, changed: 0, out: 0 }
  const step = async (what: keyof typeof spent, change: () => Maybe<void>): Promise<void> => {
    const before = performance.now()
    const done = change()
    if (done) await done
    spent[what] += performance.now() - before
  }
  const changes = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      const index = below[(time * 13) % below.length]!
      const id = keyOf(index)
      await step('moved', () => world.set(id, 500))
      await step('changed', () => world.set(id, 501 + (time % 100)))
      await step('out', () => world.set(id, valuesOf(index)[0]!))
    }
  }
  collect()
  await changes(sizes['warm-up']!)
  Object.assign(spent, { moved: 0, changed: 0, out: 0 })
  heard.times = 0
  await changes(sizes['changes']!)
  const needed = 2 * sizes['changes']!
  if (heard.times < needed) throw new Error(`the live query told ${heard.times} of ${needed} changes of its ids`)
  await world.set(keyOf(below[5]!), 700)
  const each = (ms: number): number => (ms * 1000) / sizes['changes']!
  const micros = { moved: each(spent.moved), changed: each(spent.changed), out: each(spent.out) }
  return { micros, ids: heard.ids, stop }
}

/** Work 5. */
async function run(contender: Contender, sizes: Sizes): Promise<Outcome> {
  const count = sizes['rows']!
  const world = await opened(contender, 'query', count)
  const { micros, ids, stop } = await watch(world, sizes)
  const state = { ...(await stateOf(world, count)), ids }
  await stop()
  await world.close()
  const name = count === 100_000 ? ' of 100,000' : ''
  return {
    figures: {
      [`changed${name}`]: micros.changed,
      [`in${name}`]: micros.moved,
      [`out${name}`]: micros.out,
    },
    state,
  }
}

export const query: Work = {
  name: 'query',
  unit: 'µs',
  sizes: { rows: 10_000, changes: 1_000, 'warm-up': 10_000 },
  titles: {
    changed: '5 live query (filter, sort, limit 50) over 10,000 rows: a row of the window changed',
    in: '5 a row moved into the window',
    out: '5 a row moved out of it',
  },
  note: 'Live queries: each change is set and delivered, the ids as an array. An index on the order where a store has indexes.',
  run,
}

/** With `--large`. */
export const queryLarge: Work = {
  name: 'query-large',
  unit: 'µs',
  sizes: { ...query.sizes, rows: 100_000, 'warm-up': 6_000 },
  titles: {
    'changed of 100,000': '5 over 100,000 rows: a row of the window changed',
    'in of 100,000': '5 over 100,000 rows: moved in',
    'out of 100,000': '5 over 100,000 rows: moved out',
  },
  run,
}

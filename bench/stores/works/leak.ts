import process from 'node:process'
import { filtered, keyOf, moved } from '../../support/annotations.ts'
import type { Contender, Stop } from '../contender.ts'
import { collect, nextValue, opened, stateOf, type Outcome, type Sizes, type Work } from '../work.ts'

/** Work 10: whether what came and went leaves anything behind: rows subscribed to, a live query, a draft cancelled. */
async function run(contender: Contender, sizes: Sizes): Promise<Outcome> {
  const [rows, rounds, first] = [sizes['rows']!, sizes['rounds']!, sizes['first']!]
  const world = await opened(contender, 'leak', rows)
  let heard = 0
  const heapUsed = async (): Promise<number> => {
    // What only waits for a turn of the event loop is no leak.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    collect()
    return process.memoryUsage().heapUsed
  }
  // Rows read are kept, and that is no leak either.
  for (let index = 0; index < rows; index++) await world.row(keyOf(index))
  let before = 0
  for (let round = 0; round < rounds; round++) {
    if (round === first) before = await heapUsed()
    const stops: Stop[] = []
    for (let index = 0; index < sizes['row subscribers']!; index++)
      stops.push(await world.onRow(keyOf(index * Math.floor(rows / sizes['row subscribers']!)), () => void heard++))
    stops.push(
      await world.onQuery({ where: filtered, from: 50, to: 1_000_000, by: moved, limit: 50 }, () => void heard++),
    )
    const draft = world.draft?.()
    draft?.set(keyOf(round % rows), nextValue())
    await draft?.cancel()
    for (const stop of stops) await stop()
  }
  const growth = (await heapUsed()) - before
  const state = await stateOf(world, rows)
  if (world.draft && heard < 2 * rounds) throw new Error('nobody was told of the drafts')
  await world.close()
  return { figures: { leak: growth / 1024 }, state }
}

export const leak: Work = {
  name: 'leak',
  unit: 'KB',
  sizes: { rows: 1_000, 'row subscribers': 100, rounds: 1_000, first: 100 },
  titles: {
    leak: '10 growth of the heap from round 100 to 1,000 of subscribing to 100 rows, a live query and a draft, and dropping all',
  },
  note: "The growth of the heap is after garbage collection, and may be negative. What is not a leak ends: rowcast's grows until each row that the drafts edit has been edited once, and by 20 KB a thousand rounds after that.",
  run,
}

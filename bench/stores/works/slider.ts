import type { Contender, Query, Stop, World } from '../contender.ts'
import { filtered, keyOf, moved, ranked } from '../../support/annotations.ts'
import {
  collect,
  leastFiltered,
  nextValue,
  opened,
  slid,
  stateOf,
  type Outcome,
  type Sizes,
  type Work,
} from '../work.ts'

/** What the subscribers of the slid field, and of the table, have heard. */
interface Heard {
  field: number
  table: number
  last: number
}

async function subscribe(world: World, fields: number): Promise<Heard> {
  const heard = { field: 0, table: 0, last: 0 }
  for (let index = 0; index < fields; index++)
    await world.onField(slid, (value) => {
      heard.field++
      heard.last = value
    })
  await world.onTable(() => void heard.table++)
  return heard
}

/** Sets the field so many times; gives µs each. */
async function slide(world: World, times: number): Promise<number> {
  const from = performance.now()
  for (let step = 0; step < times; step++) {
    const done = world.set(slid, nextValue())
    if (done) await done
  }
  return ((performance.now() - from) * 1000) / times
}

export async function measureSlider(
  world: World,
  sizes: Sizes,
): Promise<{ readonly micros: number; readonly heard: Heard }> {
  const heard = await subscribe(world, sizes['fields']!)
  collect()
  await slide(world, sizes['warm-up']!)
  Object.assign(heard, { field: 0, table: 0 })
  const micros = await slide(world, sizes['sets']!)
  if (heard.table < sizes['sets']!)
    throw new Error(`the table's subscriber heard ${heard.table} of ${sizes['sets']} changes`)
  return { micros, heard }
}

/** Work 2: one field set again and again, as a slider does. */
async function runAlone(contender: Contender, sizes: Sizes): Promise<Outcome> {
  const world = await opened(contender, 'slider', sizes['rows']!)
  const { micros, heard } = await measureSlider(world, sizes)
  const state = { ...(await stateOf(world, sizes['rows']!)), heard: heard.field, last: heard.last }
  await world.close()
  return { figures: { slider: micros }, state }
}

/** Work 3: the same beside many who are not concerned. */
async function runInCrowd(
  contender: Contender,
  sizes: Sizes,
  work: string,
  queryOf: (share: number) => Query,
): Promise<Outcome> {
  const world = await opened(contender, work, sizes['rows']!)
  const stops: Stop[] = []
  const rows = { heard: 0 }
  for (let index = 0; index < sizes['row subscribers']!; index++)
    stops.push(await world.onRow(keyOf(index), () => void rows.heard++))
  const queries: string[][] = []
  for (let index = 0; index < sizes['queries']!; index++) {
    stops.push(await world.onQuery(queryOf(index / sizes['queries']!), (ids) => void (queries[index] = [...ids])))
  }
  rows.heard = 0
  const { micros, heard } = await measureSlider(world, sizes)
  const state = {
    ...(await stateOf(world, sizes['rows']!)),
    heard: heard.field,
    last: heard.last,
    rows: rows.heard,
    queries: queries.filter((_, index) => index % 97 === 0),
  }
  for (const stop of stops) await stop()
  await world.close()
  return { figures: { [work]: micros }, state }
}

export const slider: Work = {
  name: 'slider',
  unit: 'µs',
  sizes: { rows: 10_000, fields: 20, sets: 10_000, 'warm-up': 25_000 },
  titles: { slider: '2 slider: one field set, 20 subscribers on it, one on the table' },
  run: runAlone,
}

export const sliderCrowd: Work = {
  name: 'slider-crowd',
  unit: 'µs',
  sizes: { ...slider.sizes, 'row subscribers': 10_000, queries: 1_000 },
  titles: { 'slider-crowd': '3 the same beside 10,000 row subscribers and 1,000 live queries of other fields' },
  // Each another, none with the slid row.
  run: (contender, sizes) =>
    runInCrowd(contender, sizes, 'slider-crowd', (share) => ({
      where: filtered,
      from: leastFiltered + 1 + share * 90,
      to: 1_000_000,
      by: ranked,
      limit: 50,
    })),
}

export const sliderCrowdSame: Work = {
  name: 'slider-crowd-same',
  unit: 'µs',
  sizes: sliderCrowd.sizes,
  titles: {
    'slider-crowd-same': '3 the same, the queries by the very field that is set, over ranges that it never enters',
  },
  // The slid row starts at 101, and is set to 101 and more.
  run: (contender, sizes) =>
    runInCrowd(contender, sizes, 'slider-crowd-same', (share) => ({
      where: moved,
      from: 2 + share * 90,
      to: 99,
      by: moved,
      limit: 50,
    })),
}

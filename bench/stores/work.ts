import { keyOf, rowOf } from '../support/annotations.ts'
import type { Contender, Maybe, World } from './contender.ts'

/** What a work came to, by the name of the figure. */
export type Figures = Readonly<Record<string, number>>

/** How much is done, by name: rows, sets, queries. */
export type Sizes = Readonly<Record<string, number>>

export interface Outcome {
  readonly figures: Figures
  /** What all contenders must have come to alike, where they did as much. */
  readonly state: unknown
}

export interface Work {
  readonly name: string
  readonly unit: string
  readonly sizes: Sizes
  /** Heads the rows of the table, by the name of the figure. */
  readonly titles: Readonly<Record<string, string>>
  /** What counts with the figures; said below the table. */
  readonly note?: string
  readonly run: (contender: Contender, sizes: Sizes) => Promise<Outcome>
}

/** One row of each hundred has the least value of `filtered`, so that no live query above that ever sees it. */
export const slid: string = keyOf(57)
export const leastFiltered = 2

let last = 0
/** A value of `moved` that differs from the last one, and is no default. */
export const nextValue = (): number => 101 + (++last % 1_000)

/** Collects garbage. That throws compiled code away as well, so it belongs before the warm-up. */
export const collect = (): void => {
  if (!globalThis.gc) throw new Error('run with --expose-gc')
  globalThis.gc()
  globalThis.gc()
}

/** Milliseconds that the work takes; waits only for what is a promise. */
export async function timed(work: () => Maybe<unknown>): Promise<number> {
  const from = performance.now()
  const done = work()
  if (done instanceof Promise) await done
  return performance.now() - from
}

export async function opened(contender: Contender, work: string, rows: number): Promise<World> {
  const world = await contender.open(work)
  await world.insert(Array.from({ length: rows }, (_, index) => rowOf(index)))
  return world
}

/** How many rows there are, and the values of some. */
export async function stateOf(world: World, rows: number): Promise<object> {
  const values: Record<string, number> = {}
  const step = Math.max(Math.floor(rows / 97), 1)
  for (let index = 0; index < rows; index += step) values[keyOf(index)] = await world.value(keyOf(index))
  if (rows > 57) values[slid] = await world.value(slid)
  return { count: await world.count(), values }
}

import process from 'node:process'
import { keyOf } from '../../support/annotations.ts'
import type { Contender } from '../contender.ts'
import { collect, opened, stateOf, type Outcome, type Sizes, type Work } from '../work.ts'

interface Memory {
  readonly heap: number
  readonly outside: number
}

function memory(): Memory {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return { heap: heapUsed, outside: external }
}

/** Lets what only waits for a turn of the event loop go. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Work 10: what a store holds once all rows have been read. */
async function run(contender: Contender, sizes: Sizes): Promise<Outcome> {
  // What a store loads and compiles with its first use is not the rows'.
  await (await opened(contender, 'heap', 10)).close()
  await turn()
  const before = memory()
  const world = await opened(contender, 'heap', sizes['rows']!)
  for (let index = 0; index < sizes['rows']!; index++) world.row(keyOf(index))
  await turn()
  const after = memory()
  const state = await stateOf(world, sizes['rows']!)
  await world.close()
  const megabytes = (bytes: number): number => bytes / 1024 ** 2
  const name = sizes['rows'] === 100_000 ? ' of 100,000' : ''
  return {
    figures: {
      [`heap${name}`]: megabytes(after.heap - before.heap),
      [`outside${name}`]: megabytes(after.outside),
    },
    state,
  }
}

export const heap: Work = {
  name: 'heap',
  unit: 'MB',
  sizes: { rows: 10_000 },
  titles: {
    heap: '10 JavaScript heap with 10,000 rows that were all read once',
    outside: '10 memory of the whole process outside it (WebAssembly, buffers)',
  },
  run,
}

/** With `--large`. */
export const heapLarge: Work = {
  ...heap,
  name: 'heap-large',
  sizes: { rows: 100_000 },
  titles: {
    'heap of 100,000': '10 JavaScript heap with 100,000 rows that were all read once',
    'outside of 100,000': '10 memory of the whole process outside it',
  },
}

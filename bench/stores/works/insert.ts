import { keyOf, rowOf } from '../../support/annotations.ts'
import { median } from '../../support/statistics.ts'
import type { Contender } from '../contender.ts'
import { collect, stateOf, timed, type Outcome, type Sizes, type Work } from '../work.ts'

/** Work 1: all rows at once, into a new store; and the same rows out of a file. */
async function run(contender: Contender, sizes: Sizes): Promise<Outcome> {
  const rows = Array.from({ length: sizes['rows']! }, (_, index) => rowOf(index))
  const taken: Record<string, number[]> = {}
  const put = (name: string, ms: number): void => void (taken[name] ??= []).push(ms)
  let state: unknown
  for (let time = -sizes['warm-up']!; time < sizes['times']!; time++) {
    if (time === 0) for (const list of Object.values(taken)) list.length = 0
    collect()
    const world = await contender.open('insert')
    const ms = await timed(() => world.insert(rows))
    put('insert', ms)
    if (contender.validates) put('insert validated', ms)
    state = await stateOf(world, rows.length)
    const bytes = world.export?.()
    await world.close()
    if (world.validate) {
      collect()
      const careful = await contender.open('insert')
      put(
        'insert validated',
        await timed(() => {
          careful.validate!(rows)
          return careful.insert(rows)
        }),
      )
      await careful.close()
    }
    if (bytes && contender.openFile) {
      collect()
      const from = performance.now()
      const reopened = await contender.openFile(bytes)
      reopened.row(keyOf(0))
      put('open', performance.now() - from)
      const again = await stateOf(reopened, rows.length)
      if (JSON.stringify(again) !== JSON.stringify(state)) throw new Error('the file opened has another state')
      await reopened.close()
    }
  }
  return { figures: Object.fromEntries(Object.entries(taken).map(([name, ms]) => [name, median(ms)])), state }
}

export const insert: Work = {
  name: 'insert',
  unit: 'ms',
  sizes: { rows: 10_000, times: 3, 'warm-up': 4 },
  titles: {
    insert: '1 insert 10,000 rows of 100 attributes, 11 set',
    'insert validated': '1 the same, validated by JSON Schema',
    open: '1 open the same from a .db file, and read a row',
  },
  note: 'raw sql.js validates with ajv in the second row; nothing in the first.',
  run,
}

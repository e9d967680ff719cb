import type { Contender, Maybe } from '../contender.ts'
import { folderOf, noteKey, noteOf, type Joined, type Notes, type NotesChange } from '../notes.ts'
import { collect, type Outcome, type Sizes, type Work } from '../work.ts'

const query = { from: 500, limit: 50 }

/** Whether it asks the database at most once for a transaction, and never for what it can't see. */
async function checkRuns(world: Notes): Promise<void> {
  const runs = async (change: NotesChange): Promise<number> => {
    const before = world.runs!()
    await world.change(change)
    return world.runs!() - before
  }
  const both = await runs({
    notes: [0, 1, 2].map((index) => ({ id: noteKey(index), rank: 3_000 + index })),
    folders: [folderOf(0), folderOf(1)].map(({ id }) => ({ id, title: 'Both at once' })),
  })
  if (both !== 1) throw new Error(`the join ran ${both} times for one transaction`)
  const unseen = await runs({
    notes: [0, 1, 2].map((index) => ({ id: noteKey(index), text: 'A column that it does not read' })),
  })
  if (unseen !== 0) throw new Error(`the join ran ${unseen} times for a column that it does not read`)
}

/** Work 9: a live join of two tables; a row of the one is changed, then a row of the other. */
async function run(contender: Contender, sizes: Sizes): Promise<Outcome> {
  const [rows, folders] = [sizes['rows']!, sizes['folders']!]
  const world = await contender.openNotes!('join')
  await world.insert(
    Array.from({ length: folders }, (_, index) => folderOf(index)),
    Array.from({ length: rows }, (_, index) => noteOf(index, folders, 100)),
  )
  const heard = { times: 0, rows: [] as readonly Joined[] }
  const stop = await world.onJoin!(query, (found) => {
    heard.times++
    heard.rows = found
  })
  const spent = { note: 0, folder: 0 }
  const step = async (what: keyof typeof spent, change: () => Maybe<void>): Promise<void> => {
    const before = performance.now()
    const done = change()
    if (done) await done
    spent[what] += performance.now() - before
  }
  const changes = async (times: number, first: number): Promise<void> => {
    for (let time = first; time < first + times; time++) {
      const index = (time * 13) % rows
      await step('note', () => world.change({ notes: [{ id: noteKey(index), rank: 1_000 + time }] }))
      // The folder of the note that is now the first.
      const { folder } = noteOf(index, folders, 0)
      await step('folder', () => world.change({ folders: [{ id: folder, title: `Renamed ${time}` }] }))
      if (heard.rows[0]?.title !== `Renamed ${time}`) throw new Error('the join did not tell of a change')
    }
  }
  collect()
  await changes(sizes['warm-up']!, 0)
  Object.assign(spent, { note: 0, folder: 0 })
  heard.times = 0
  await changes(sizes['changes']!, sizes['warm-up']!)
  const state = heard.rows
  if (heard.times < 2 * sizes['changes']!) throw new Error(`the join told ${heard.times} changes`)
  if (world.runs) await checkRuns(world)
  await stop()
  await world.close()
  const each = (ms: number): number => (ms * 1000) / sizes['changes']!
  return { figures: { 'join note': each(spent.note), 'join folder': each(spent.folder) }, state }
}

export const join: Work = {
  name: 'join',
  unit: 'µs',
  sizes: { rows: 10_000, folders: 100, changes: 500, 'warm-up': 200 },
  titles: {
    'join note': '9 live join of 10,000 rows with 100 (filter, sort, limit 50): a row of the many changed',
    'join folder': '9 a row of the few changed',
  },
  note: 'The join of rowcast was seen to run once for a transaction that changed both tables, and not at all for a column that it does not read.',
  run,
}

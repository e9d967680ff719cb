import { quantile } from '../../support/statistics.ts'
import type { Contender, Stop } from '../contender.ts'
import { folderKey, folderOf, noteKey, noteOf, perFolder, textOf, type Note } from '../notes.ts'
import { collect, type Outcome, type Sizes, type Work } from '../work.ts'

const length = 1_024

/** Work 6, Replicache's reactive loop: from a write to the last of the subscriptions concerned having its new result. */
async function run(contender: Contender, sizes: Sizes): Promise<Outcome> {
  const [rows, subscriptions, dirty] = [sizes['rows']!, sizes['subscriptions']!, sizes['dirty']!]
  const folders = Math.ceil(rows / perFolder)
  const world = await contender.openNotes!('loop')
  await world.insert(
    Array.from({ length: folders }, (_, index) => folderOf(index)),
    Array.from({ length: rows }, (_, index) => noteOf(index, folders, length)),
  )
  const apart = Math.floor(folders / subscriptions)
  const results: (readonly Note[])[] = []
  const heard = new Set<number>()
  const awaited = new Map<number, { readonly note: number; readonly text: string }>()
  let done = (): void => undefined
  let told = 0
  const hear = (subscription: number, notes: readonly Note[]): void => {
    told++
    results[subscription] = notes
    const wanted = awaited.get(subscription)
    if (wanted && notes[wanted.note]?.text === wanted.text) heard.add(subscription)
    if (heard.size === dirty) done()
  }
  const stops: Stop[] = []
  for (let index = 0; index < subscriptions; index++)
    stops.push(await world.onFolder(folderKey(index * apart), (notes) => hear(index, notes)))

  const round = async (time: number): Promise<number> => {
    awaited.clear()
    heard.clear()
    for (let one = 0; one < dirty; one++) {
      const index = (time * 7 + one * Math.floor(subscriptions / dirty)) % subscriptions
      const note = (time + one) % perFolder
      awaited.set(index, { note, text: textOf(index * apart * perFolder + note, time + 1, length) })
    }
    const notes = [...awaited].map(([index, { note, text }]) => ({
      id: noteKey(index * apart * perFolder + note),
      text,
    }))
    const all = new Promise<void>((resolve) => (done = resolve))
    const from = performance.now()
    const written = world.change({ notes })
    // Who tells before the write returns isn't made to wait for a promise.
    if (heard.size < dirty) await all
    const spent = performance.now() - from
    await written
    return spent
  }
  collect()
  for (let time = 0; time < sizes['warm-up']!; time++) await round(time)
  told = 0
  const spent: number[] = []
  for (let time = 0; time < sizes['rounds']!; time++) spent.push(await round(sizes['warm-up']! + time))
  if (told < dirty * sizes['rounds']!) throw new Error(`the subscriptions were told ${told} times`)
  for (const stop of stops) await stop()
  await world.close()
  const name = rows > 50_000 ? ' of 64 MB' : ''
  return { figures: { [`p50${name}`]: quantile(spent, 0.5), [`p95${name}`]: quantile(spent, 0.95) }, state: results }
}

export const loop: Work = {
  name: 'loop',
  unit: 'ms',
  sizes: { rows: 16_384, subscriptions: 100, dirty: 5, rounds: 100, 'warm-up': 30 },
  titles: {
    p50: '6 reactive loop, 16 MB, 100 subscriptions of 10 KB, 5 written to: p50',
    p95: '6 p95',
  },
  note: 'Reactive loop: from the write of one row of 1 KB in each of 5 live queries of 10 rows, in one transaction, to the last of the 5 having its new result.',
  run,
}

/** With `--large`. */
export const loopLarge: Work = {
  ...loop,
  name: 'loop-large',
  sizes: { ...loop.sizes, rows: 65_536 },
  titles: { 'p50 of 64 MB': '6 over 64 MB: p50', 'p95 of 64 MB': '6 over 64 MB: p95' },
}

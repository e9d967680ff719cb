// Work 12: how the cost of works 2 and 5 grows with the rows, with the time to open a file of them and the memory of the
// process: of rowcast alone.
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { keyOf, rowOf } from '../support/annotations.ts'
import { median, printTable } from '../support/statistics.ts'
import type { Contender, World } from './contender.ts'
import { inProcess } from './processes.ts'
import { markdown, write } from './report.ts'
import { collect, slid, stateOf, timed, type Figures, type Outcome, type Sizes, type Work } from './work.ts'
import { watch } from './works/query.ts'
import { measureSlider, slider } from './works/slider.ts'

export const growth = 'growth'

const megabyte = 1024 ** 2
/** Beyond this the rows have ten columns beside their key instead of 99. */
const wide = 100_000

/** The work that a contender opens for. */
const schemaFor = (rows: number): string => (rows > wide ? 'growth narrow' : 'growth')

/** The file that one process writes for the next: `owner` is the process that starts them. */
const fileOf = (sizes: Sizes): string => join(tmpdir(), `rowcast-growth-${sizes['owner']}-${sizes['rows']}.db`)

const titles = {
  file: 'file, MB',
  open: 'open the file, and read a row, ms',
  memory: 'resident memory of the whole process with it open, MB',
  heap: 'of which JavaScript heap, MB',
  slider: 'slider: one field set, 20 subscribers on it, one on the table, µs',
  changed: 'live query (filter, sort, limit 50): a row of the window changed, µs',
  in: 'a row moved into the window, µs',
  out: 'a row moved out of it, µs',
}

/** Makes the file, in a process whose memory does not count. */
async function makeFile(contender: Contender, sizes: Sizes): Promise<Outcome> {
  const [rows, batch] = [sizes['rows']!, 10_000]
  const world = await contender.open(schemaFor(rows))
  for (let from = 0; from < rows; from += batch)
    await world.insert(Array.from({ length: Math.min(batch, rows - from) }, (_, index) => rowOf(from + index)))
  writeFileSync(fileOf(sizes), world.export!())
  const state = await stateOf(world, rows)
  await world.close()
  return { figures: {}, state }
}

async function measure(contender: Contender, sizes: Sizes): Promise<Outcome> {
  const rows = sizes['rows']!
  const open = (bytes: Uint8Array): Promise<World> => contender.openFile!(bytes, schemaFor(rows))
  // What a store loads and compiles with its first use is not the rows'.
  const first = await contender.open(schemaFor(rows))
  const none = first.export!()
  await first.close()
  await (await open(none)).close()
  collect()
  const before = process.memoryUsage()
  const spent: number[] = []
  // The bytes are out of reach once it is open.
  const openFile = async (): Promise<World> => {
    const bytes = readFileSync(fileOf(sizes))
    const from = performance.now()
    const world = await open(bytes)
    world.row(keyOf(0))
    spent.push(performance.now() - from)
    return world
  }
  for (let time = 0; time < 2; time++) await (await openFile()).close()
  const world = await openFile()
  await timed(() => new Promise((resolve) => setImmediate(resolve)))
  collect()
  const after = process.memoryUsage()
  const state = await stateOf(world, rows)
  const { micros: slide } = await measureSlider(world, sizes)
  await world.set(slid, 101)
  const { micros, stop } = await watch(world, sizes)
  await stop()
  await world.close()
  return {
    figures: {
      file: statSync(fileOf(sizes)).size / megabyte,
      open: median(spent),
      memory: after.rss / megabyte,
      heap: (after.heapUsed - before.heapUsed) / megabyte,
      slider: slide,
      changed: micros.changed,
      in: micros.moved,
      out: micros.out,
    },
    state,
  }
}

const sizes: Sizes = { ...slider.sizes, changes: 1_000 }

const work = (name: string, run: Work['run']): Work => ({ name, unit: '', sizes, titles, run })

/** What the processes of this table do. */
export const growthWorks: readonly Work[] = [work('growth-file', makeFile), work(growth, measure)]

/** Runs it all, prints the table, and gives it as Markdown. Throws where an opened file has another state than was written. */
export async function measureGrowth({
  rounds,
  large,
  profile,
}: {
  readonly rounds: number
  readonly large: boolean
  readonly profile?: string | undefined
}): Promise<string> {
  const counts = [1_000, 10_000, wide, ...(large ? [1_000_000] : [])]
  const taken = new Map<number, Figures[]>(counts.map((rows) => [rows, []]))
  const files = counts.map((rows) => ({ ...sizes, rows, owner: process.pid }))
  try {
    const written: string[] = []
    for (const file of files) written.push(JSON.stringify((await inProcess('rowcast', 'growth-file', file)).state))
    for (let round = 0; round < rounds; round++)
      for (const [index, file] of files.entries()) {
        const { figures, state } = await inProcess('rowcast', growth, file, profile)
        if (JSON.stringify(state) !== written[index]) throw new Error(`${file.rows} rows: the file has another state`)
        const shown = Object.entries(figures).map(([figure, value]) => `${figure} ${value.toFixed(2)}`)
        console.error(`growth, ${file.rows.toLocaleString('en')} rows: ${shown.join(', ')}`)
        taken.get(file.rows)!.push(figures)
      }
  } finally {
    for (const file of files) rmSync(fileOf(file), { force: true })
  }
  const middle = (rows: number, figure: string): number => median(taken.get(rows)!.map((round) => round[figure]!))
  const head = [
    'rowcast: rows',
    ...counts.map((rows) => `${rows.toLocaleString('en')}${rows > wide ? ' (ten columns)' : ''}`),
  ]
  const lines = Object.entries(titles).map(([figure, title]) => [
    `12 ${title}`,
    ...counts.map((rows) => {
      const value = middle(rows, figure)
      return `${write(value)} (× ${write(value / middle(counts[0]!, figure))})`
    }),
  ])
  console.log()
  printTable(head, lines)
  return `${markdown(head, lines)}\n\n- Growth: in brackets how many times that of 1,000 rows.`
}

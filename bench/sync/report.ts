import { median, printTable, quantile } from '../support/statistics.ts'
import type { Figures } from './measure.ts'

interface Line {
  readonly title: string
  readonly figure: string
  /** Of a list of samples, which quantile; a round counts with that. */
  readonly share?: number
  readonly digits?: number
  readonly scale?: number
}

const lines: readonly Line[] = [
  { title: '10 clients: one-way latency p50, ms', figure: 'latency', share: 0.5, digits: 2 },
  { title: '10 clients: one-way latency p99, ms', figure: 'latency', share: 0.99, digits: 2 },
  { title: '10 clients, one writing: changes/s', figure: 'changes of one writer' },
  { title: 'transactions/s, one in flight, acknowledged', figure: 'single' },
  { title: 'transactions/s, pipelined, acknowledged', figure: 'pipelined' },
  { title: '1,000 clients: one-way latency p50, ms', figure: 'latency of 1,000', share: 0.5, digits: 1 },
  { title: '1,000 clients: one-way latency p99, ms', figure: 'latency of 1,000', share: 0.99, digits: 1 },
  { title: '1,000 clients, 10 writing: changes/s', figure: 'changes of ten writers' },
  { title: '1,000 clients, 10 writing: delivered/s', figure: 'delivered' },
  { title: '1,000 clients, 10 writing: messages to each, for 3,000 changes', figure: 'messages each' },
  { title: 'reconnect after 10,000 changes, ms', figure: 'reconnect ms after 10000' },
  { title: 'reconnect after 10,000 changes, KB', figure: 'reconnect bytes after 10000', scale: 1 / 1024 },
  { title: 'reconnect after 100,000 changes, ms', figure: 'reconnect ms after 100000' },
  { title: 'reconnect after 100,000 changes, KB', figure: 'reconnect bytes after 100000', scale: 1 / 1024 },
  { title: 'server memory per idle client, KB', figure: 'bytes per idle client', digits: 1, scale: 1 / 1024 },
]

function cell(rounds: readonly Figures[], { figure, share, digits = 0, scale = 1 }: Line): string {
  const values = rounds.flatMap((figures) => {
    const value = figures[figure]
    if (value === undefined) return []
    return typeof value === 'number' ? value * scale : quantile(value, share ?? 0.5) * scale
  })
  if (values.length === 0) return '–'
  const write = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${write(median(values))} (${write(Math.min(...values))}–${write(Math.max(...values))})`
}

const notes = [
  'Median of the rounds (least–most). rowcast makes a change durable (SQLite, WAL, synchronous FULL) before anyone is told; the others keep it in memory.',
  'With 10 clients all are full ones: a store, a Y.Doc, a MergeableStore. With 1,000 the 10 that write are; 990 listen with a bare socket that counts the changes, the same for all three.',
  'A latency is from the write in one client to its effect in another, one change on its way at a time. Changes per second are written one a turn of the event loop (ten, one of each writer), until all had all.',
  'TinyBase keeps nothing on its server: a client that comes back gets what it missed from another client.',
]

/** Prints the figures as a table, as markdown, and what to know about them. */
export function report(results: ReadonlyMap<string, readonly Figures[]>): void {
  const names = [...results.keys()]
  const rows = lines.map((line) => [line.title, ...names.map((name) => cell(results.get(name)!, line))])
  console.log()
  printTable(['', ...names], rows)
  console.log(`\n| | ${names.join(' | ')} |\n|---|${names.map(() => '---:|').join('')}`)
  for (const row of rows) console.log(`| ${row.join(' | ')} |`)
  console.log()
  for (const note of notes) console.log(note)
}

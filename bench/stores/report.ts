import { readFileSync, writeFileSync } from 'node:fs'
import { median, printTable } from '../support/statistics.ts'
import type { Contender } from './contender.ts'
import type { Figures, Work } from './work.ts'

/** A contender, and the figures of each round. */
export interface Entry {
  readonly name: string
  readonly contender: Contender
  readonly figures: Figures[]
}

const page = new URL('../../docs/benchmarks.md', import.meta.url)
const [begin, end] = ['<!-- stores:begin -->', '<!-- stores:end -->']

export function write(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

const valuesOf = ({ figures }: Entry, figure: string): (number | undefined)[] => figures.map((round) => round[figure])

const there = (values: readonly (number | undefined)[]): number[] => values.filter((value) => value !== undefined)

function cell(entry: Entry, figure: string): string {
  const values = there(valuesOf(entry, figure))
  if (values.length === 0) return '–'
  return `${write(median(values))} (${write(Math.min(...values))}–${write(Math.max(...values))})`
}

/** How many times what `base` needed, of the same round: what slows a machine down for a while slows both. */
function ratio(entry: Entry, base: Entry | undefined, figure: string): string {
  if (!base) return '–'
  const bases = valuesOf(base, figure)
  const ratios = there(
    valuesOf(entry, figure).map((value, round) => {
      const of = bases[round]
      return value === undefined || of === undefined ? undefined : value / of
    }),
  )
  return ratios.length === 0 ? '–' : write(median(ratios))
}

/** What to know about the figures: of the works, and where someone does less or nothing. */
function notesOf(entries: readonly Entry[], works: readonly Work[]): string[] {
  const notes = [
    'Median of the rounds (least–most), each contender, work and round in a process of its own, the contenders in turns. After each work all were found in the same state: values, number of rows, what subscribers and live queries had heard.',
    ...works.flatMap(({ note }) => note ?? []),
  ]
  for (const { contender } of entries)
    for (const work of works) {
      const out = contender.leftOut?.[work.name]
      if (out !== undefined) notes.push(`${contender.name}, ${work.name}: left out: ${out}`)
      const smaller = contender.smaller?.[work.name]
      if (!smaller || out !== undefined) continue
      const { why, ...sizes } = smaller
      const given = Object.entries(sizes).map(
        ([size, count]) => `${size} ${count.toLocaleString('en')} instead of ${work.sizes[size]?.toLocaleString('en')}`,
      )
      notes.push(`${contender.name}, ${work.name}: ${given.join(', ')}: ${why}`)
    }
  return notes
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(head),
    `|---|${head
      .slice(1)
      .map(() => '---:|')
      .join('')}`,
    ...rows.map(line),
  ].join('\n')
}

/** Prints the figures and their ratios; gives both as Markdown. */
export function report(entries: readonly Entry[], works: readonly Work[]): string {
  const figures = works.flatMap(({ titles, unit }) =>
    Object.entries(titles)
      .filter(([figure]) => entries.some((entry) => there(valuesOf(entry, figure)).length > 0))
      .map(([figure, title]) => ({ figure, title: `${title}, ${unit}` })),
  )
  const [rowcast, raw] = ['rowcast', 'raw-sql-js'].map((name) => entries.find((entry) => entry.name === name))
  const names = entries.map(({ contender }) => contender.name)
  const medians = figures.map(({ figure, title }) => [title, ...entries.map((entry) => cell(entry, figure))])
  const ratios = figures.map(({ figure, title }) => [
    title,
    ...entries.map((entry) => `${ratio(entry, raw, figure)} / ${ratio(entry, rowcast, figure)}`),
  ])
  const ratioHead = ['× raw sql.js / × rowcast', ...names]
  const notes = notesOf(entries, works)
  console.log()
  printTable(['', ...names], medians)
  console.log()
  printTable(ratioHead, ratios)
  console.log()
  for (const note of notes) console.log(note)
  return [
    markdown(['', ...names], medians),
    markdown(ratioHead, ratios),
    notes.map((note) => `- ${note}`).join('\n'),
  ].join('\n\n')
}

/** Puts the tables between their markers in the documentation. */
export function writeToPage(text: string): void {
  const old = readFileSync(page, 'utf8')
  const [from, to] = [old.indexOf(begin), old.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no ${begin} … ${end}`)
  writeFileSync(page, `${old.slice(0, from + begin.length)}\n\n${text}\n\n${old.slice(to)}`)
}

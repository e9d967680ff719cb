import { printTable, quantile } from '../support/statistics.ts'

/** A line of the table. */
export interface Figure {
  readonly title: string
  readonly values: readonly string[]
  /** What it is to be, and whether it is. */
  readonly target?: { readonly text: string; readonly isMet: boolean }
}

function ms(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 })
}

export function whole(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 0 })
}

/** Median and most of some milliseconds. */
export function p50AndMax(times: readonly number[]): string {
  return `${ms(quantile(times, 0.5))} (max ${ms(Math.max(...times))}, n ${times.length})`
}

/** Median and 99 of 100. */
export function p50AndP99(times: readonly number[]): string {
  return `${ms(quantile(times, 0.5))} (p99 ${ms(quantile(times, 0.99))})`
}

/** As a table, and as markdown. */
export function report(title: string, head: readonly string[], figures: readonly Figure[]): void {
  const titles = [title, ...head, 'target']
  const rows = figures.map(({ title, values, target }) => [
    title,
    ...values,
    target ? `${target.text}, ${target.isMet ? 'met' : 'missed'}` : '',
  ])
  console.log()
  printTable(titles, rows)
  console.log(
    `\n| ${titles.join(' | ')} |\n|---|${titles
      .slice(1)
      .map(() => '---:|')
      .join('')}`,
  )
  for (const row of rows) console.log(`| ${row.join(' | ')} |`)
  console.log()
}

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { profiled } from '../support/profile.ts'
import { mean, median, printTable, quantile } from '../support/statistics.ts'
import { measure } from './measure.ts'
import { type Operation, operations } from './operations.ts'
import { startTables, type Tables } from './page.ts'

export interface Options {
  readonly rounds: number
  /** Apps and operations by name; all without. */
  readonly apps?: readonly string[] | undefined
  readonly operations?: readonly string[] | undefined
  readonly profile: boolean
  /** Where rowcast was built, from the folder of the apps. */
  readonly dist?: string | undefined
}

const reference = 'plain'
const apps: Readonly<Record<string, string>> = {
  plain: 'React',
  rowcast: 'rowcast',
  'rowcast-rows': 'rowcast, useRow',
  zustand: 'zustand',
  mobx: 'MobX',
}

function installPeers(): void {
  const folder = fileURLToPath(new URL('../peers', import.meta.url))
  if (['zustand', 'mobx', 'mobx-react-lite'].every((name) => existsSync(`${folder}/node_modules/${name}`))) return
  const { status } = spawnSync('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error('the peers could not be installed: npm ci --prefix bench/peers')
}

interface Figures {
  /** Of each round the mean: clicks come at times spread over a frame. */
  readonly times: number[]
  /** Of each round the median. */
  readonly scripts: number[]
}

/** By operation and app, and the documents that did not come out as they should. */
class Results {
  readonly wrong: string[] = []
  readonly #figures = new Map<string, Figures>()
  readonly #documents = new Map<string, string>()

  of(operation: Operation, app: string): Figures {
    const key = `${operation.name} ${app}`
    let figures = this.#figures.get(key)
    if (!figures) this.#figures.set(key, (figures = { times: [], scripts: [] }))
    return figures
  }

  /** All apps have done the same to the same rows before. */
  check(operation: Operation, app: string, rows: number, html: string): void {
    if (operation.rows !== undefined && operation.rows !== rows)
      this.wrong.push(`${app}, ${operation.name}: ${rows} rows, not ${operation.rows}`)
    const document = createHash('sha256').update(html).digest('hex')
    const other = this.#documents.get(operation.name)
    if (other === undefined) this.#documents.set(operation.name, document)
    else if (other !== document) this.wrong.push(`${app}, ${operation.name}: another document than the others`)
  }
}

async function round(tables: Tables, app: string, wanted: readonly Operation[], results: Results): Promise<void> {
  const page = await tables.open(app)
  for (const operation of wanted) {
    const { times, scripts, rows, html } = await page.evaluate(measure, operation)
    const figures = results.of(operation, app)
    figures.times.push(mean(times))
    figures.scripts.push(median(scripts))
    results.check(operation, app, rows, html)
  }
  await page.close()
}

async function profile(tables: Tables, app: string, wanted: readonly Operation[]): Promise<void> {
  const page = await tables.open(app)
  for (const operation of wanted) {
    await page.evaluate(measure, operation)
    await profiled(page, `${app}: ${operation.title}`, () => page.evaluate(measure, operation))
  }
  await page.close()
}

function print(results: Results, names: readonly string[], wanted: readonly Operation[], what: keyof Figures): void {
  const others = names.filter((app) => app !== reference)
  const compares = names.includes(reference)
  const ratios = new Map(names.map((app) => [app, [] as number[]]))
  const rows = wanted.map((operation) => {
    const medianOf = (app: string): number => median(results.of(operation, app)[what])
    const cells = names.map((app) => {
      const values = results.of(operation, app)[what]
      return `${median(values).toFixed(2)} (${quantile(values, 0).toFixed(2)}–${quantile(values, 1).toFixed(2)})`
    })
    if (!compares) return [operation.title, ...cells]
    const compared = others.map((app) => {
      const ratio = medianOf(app) / medianOf(reference)
      ratios.get(app)!.push(ratio)
      return ratio.toFixed(2)
    })
    return [operation.title, ...cells, ...compared]
  })
  const head = ['ms', ...names.map((app) => apps[app]!), ...(compares ? others.map((app) => `${apps[app]} ×`) : [])]
  const means = others.map((app) => {
    const all = ratios.get(app)!
    return Math.exp(all.reduce((sum, ratio) => sum + Math.log(ratio), 0) / all.length).toFixed(2)
  })
  if (compares) rows.push(['geometric mean', ...names.map(() => ''), ...means])
  printTable(head, rows)
}

/** Measures the apps in turns and prints the tables. Tells whether all ended with the same document each time. */
export async function compare(options: Options): Promise<boolean> {
  installPeers()
  const wanted = operations.filter(({ name }) => options.operations?.includes(name) ?? true)
  const names = Object.keys(apps).filter((app) => options.apps?.includes(app) ?? true)
  const tables = await startTables({ minify: !options.profile, ...(options.dist && { dist: options.dist }) })
  const results = new Results()
  try {
    if (options.profile) {
      for (const app of names) await profile(tables, app, wanted)
      return true
    }
    for (let at = 0; at < options.rounds; at++) {
      const turn = at % names.length
      for (const app of [...names.slice(turn), ...names.slice(0, turn)]) await round(tables, app, wanted, results)
    }
    console.log(`React 19, Chromium ${tables.version}, ${cpus().length} processors; ${options.rounds} rounds in turns.`)
    console.log('\nFrom the click until after the next paint:\n')
    print(results, names, wanted, 'times')
    console.log('\nOf this, script until the document had changed:\n')
    print(results, names, wanted, 'scripts')
  } finally {
    await tables.close()
  }
  for (const line of results.wrong) console.error(line)
  return results.wrong.length === 0
}

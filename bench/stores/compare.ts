import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Contender } from './contender.ts'
import { contenderOf, contenders, isPeer, isThere, validating } from './contenders/contender-of.ts'
import { growth, measureGrowth } from './growth.ts'
import { inProcess } from './processes.ts'
import { report, writeToPage, type Entry } from './report.ts'
import type { Outcome, Sizes, Work } from './work.ts'
import { works } from './works/index.ts'

export interface Options {
  readonly rounds: number
  /** Contenders and works by name; all without. */
  readonly only?: readonly string[] | undefined
  readonly works?: readonly string[] | undefined
  /** Whether the works that take long are done as well. */
  readonly large: boolean
  /** Whether the table goes into the documentation. */
  readonly write: boolean
  readonly profile?: string | undefined
}

const reference = 'raw-sql-js'

/** Installs the peers where they are not as their lock says. */
function installPeers(): void {
  const folder = fileURLToPath(new URL('../peers', import.meta.url))
  const { dependencies } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { dependencies: object }
  if (Object.keys(dependencies).every((name) => existsSync(`${folder}/node_modules/${name}`))) return
  const { status } = spawnSync('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error('the peers could not be installed: npm ci --prefix bench/peers')
}

/** Those named, in the order of all; throws at a name that there is not. */
function chosen<T>(what: string, all: readonly T[], nameOf: (one: T) => string, wanted?: readonly string[]): T[] {
  const unknown = wanted?.find((name) => !all.some((one) => nameOf(one) === name))
  if (unknown !== undefined)
    throw new Error(`there is no ${what} '${unknown}'; there are ${all.map(nameOf).join(', ')}`)
  return all.filter((one) => wanted?.includes(nameOf(one)) ?? true)
}

/** Why it takes no part in a work. */
function leftOut(contender: Contender, work: Work): string | undefined {
  return contender.leftOut?.[work.name]
}

function sizesOf(contender: Contender, work: Work): Sizes {
  const { why: _, ...smaller } = contender.smaller?.[work.name] ?? { why: '' }
  const unknown = Object.keys(smaller).find((size) => !(size in work.sizes))
  if (unknown !== undefined) throw new Error(`${contender.name}: ${work.name} has no size '${unknown}'`)
  return { ...work.sizes, ...(smaller as Sizes) }
}

/** The states that came of the same work done as often: the first one, and who came to it. */
class States {
  readonly #first = new Map<string, { readonly who: string; readonly state: string }>()

  /** Throws where it is another than that of those before. */
  check(work: Work, sizes: Sizes, who: string, state: unknown): void {
    const key = `${work.name} ${JSON.stringify(sizes)}`
    const text = JSON.stringify(state)
    const first = this.#first.get(key)
    if (!first) this.#first.set(key, { who, state: text })
    else if (first.state !== text) {
      const at = Array.from({ length: text.length }).findIndex((_, index) => text[index] !== first.state[index])
      const near = (whole: string): string => whole.slice(Math.max(at - 40, 0), at + 40)
      throw new Error(`came to another state than ${first.who}: …${near(text)}… instead of …${near(first.state)}…`)
    }
  }

  has(work: Work, sizes: Sizes): boolean {
    return this.#first.has(`${work.name} ${JSON.stringify(sizes)}`)
  }
}

/** The validated figures of a contender's variant, in the column of that contender. */
function withinTheirColumns(entries: readonly Entry[]): Entry[] {
  const columns = new Map(entries.map((entry) => [entry.name, entry]))
  for (const [variant, name] of Object.entries(validating)) {
    const [from, to] = [columns.get(variant), columns.get(name)]
    if (!from || !to) continue
    columns.delete(variant)
    for (const [round, { 'insert validated': figure }] of from.figures.entries())
      if (figure !== undefined) to.figures[round] = { ...to.figures[round], 'insert validated': figure }
  }
  return [...columns.values()]
}

/** Runs all contenders in turns, and prints what they came to. False where one failed, or came to another state. */
export async function compare(options: Options): Promise<boolean> {
  const wanted = chosen('work', [...works.map(({ name }) => name), growth], (name) => name, options.works).filter(
    (name) => options.large || options.works !== undefined || !name.endsWith('-large'),
  )
  const wantedWorks = works.filter(({ name }) => wanted.includes(name))
  const names = chosen('contender', contenders, (name) => name, options.only).filter((name) => {
    if (!isThere(name)) console.error(`${name}: has no file yet`)
    return isThere(name)
  })
  if (names.some(isPeer)) installPeers()
  const entries: Entry[] = []
  for (const name of names) entries.push({ name, contender: await contenderOf(name), figures: [] })

  console.log(
    `Node ${process.version}, ${cpus().length} processors; medians of ${options.rounds} rounds taken in turns`,
  )
  const states = new States()
  let failed = false
  const run = async (name: string, work: Work, sizes: Sizes): Promise<Outcome | undefined> => {
    const from = performance.now()
    try {
      const outcome = await inProcess(name, work.name, sizes, options.profile)
      states.check(work, sizes, name, outcome.state)
      const figures = Object.entries(outcome.figures).map(([figure, value]) => `${figure} ${value.toFixed(2)}`)
      console.error(
        `${work.name}, ${name}: ${figures.join(', ')} ${work.unit} (${((performance.now() - from) / 1000).toFixed(1)} s)`,
      )
      return outcome
    } catch (error) {
      failed = true
      console.error(`${work.name}, ${name}: FAILED: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
  for (let round = 0; round < options.rounds; round++) {
    console.error(`round ${round + 1}`)
    for (const work of wantedWorks)
      for (const { name, contender, figures } of entries) {
        if (leftOut(contender, work) !== undefined || (name in validating && work.name !== 'insert')) continue
        const sizes = sizesOf(contender, work)
        // Who does less is compared with the one that is written by hand, doing as little.
        if (!states.has(work, sizes) && JSON.stringify(sizes) !== JSON.stringify(work.sizes))
          await run(reference, work, sizes)
        const outcome = await run(name, work, sizes)
        if (outcome) figures[round] = { ...figures[round], ...outcome.figures }
      }
  }
  const tables = wantedWorks.length > 0 ? [report(withinTheirColumns(entries), wantedWorks)] : []
  if (wanted.includes(growth) && names.includes('rowcast')) tables.push(await measureGrowth(options))
  if (options.write) writeToPage(tables.join('\n\n'))
  return !failed
}

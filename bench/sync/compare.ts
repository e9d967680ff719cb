import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { contenders } from './contender.ts'
import { parts, type Figures } from './measure.ts'
import { round } from './processes.ts'
import { report } from './report.ts'

/** Installs the peers where they are not: a package apart, so that the library's lock is not theirs. */
function installPeers(): void {
  const folder = fileURLToPath(new URL('../peers', import.meta.url))
  if (existsSync(`${folder}/node_modules/yjs`)) return
  const { status } = spawnSync('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error('the peers could not be installed: npm ci --prefix bench/peers')
}

/** Runs all contenders in turns, and prints what they came to. */
export async function compare(options: {
  readonly rounds: number
  readonly only?: string | undefined
  readonly parts?: string | undefined
  readonly profile?: string | undefined
}): Promise<void> {
  const names = contenders.filter((name) => options.only === undefined || name === options.only)
  if (names.some((name) => name !== 'rowcast')) installPeers()
  console.log(
    `Node ${process.version}, ${cpus().length} processors; medians of ${options.rounds} rounds taken in turns`,
  )
  const results = new Map<string, Figures[]>(names.map((name) => [name, []]))
  for (let index = 0; index < options.rounds; index++)
    for (const name of names) {
      const figures = await round(name, options.parts?.split(',') ?? parts, options.profile)
      results.get(name)!.push(figures)
      const seconds = Object.entries(figures).filter(([figure]) => figure.startsWith('seconds of'))
      console.error(
        `round ${index + 1}, ${name}: ${seconds.map(([figure, took]) => `${figure.slice(11)} ${Number(took).toFixed(1)} s`).join(', ')}`,
      )
    }
  report(results)
}

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Outcome, Sizes } from './work.ts'

const script = fileURLToPath(new URL('../stores.ts', import.meta.url))
const minutes = 4

/** One work of one contender, in a process of its own. */
export function inProcess(contender: string, work: string, sizes: Sizes, profile?: string): Promise<Outcome> {
  const execArgv = ['--expose-gc', '--disable-warning=ExperimentalWarning']
  if (profile !== undefined) execArgv.push('--cpu-prof', `--cpu-prof-dir=${profile}`)
  const child = fork(script, ['measure', contender, work, JSON.stringify(sizes)], { execArgv })
  return new Promise((resolve, reject) => {
    let outcome: Outcome | undefined
    let late = false
    const limit = setTimeout(() => {
      late = true
      child.kill()
    }, minutes * 60_000)
    child.on('message', (message) => (outcome = message as Outcome))
    child.once('exit', (code, signal) => {
      clearTimeout(limit)
      if (outcome) resolve(outcome)
      else reject(new Error(late ? `given up after ${minutes} minutes` : `its process ended (${code ?? signal})`))
    })
  })
}

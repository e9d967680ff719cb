import { fork, type ChildProcess } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Figures } from './measure.ts'

const script = fileURLToPath(new URL('../sync.ts', import.meta.url))

function start(role: 'server' | 'clients', args: readonly string[], profile?: string): ChildProcess {
  const execArgv = ['--expose-gc', '--disable-warning=ExperimentalWarning']
  if (profile !== undefined) execArgv.push('--cpu-prof', `--cpu-prof-dir=${profile}`)
  return fork(script, [role, ...args], { execArgv, serialization: 'advanced' })
}

function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as T))
    child.once('exit', (code) => reject(new Error(`a process ended (${code}) before it had answered`)))
  })
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })

/** One round of one contender: a fresh server, and its clients, each in a process. With `profile`, CPU profiles of both go there. */
export async function round(name: string, parts: readonly string[], profile?: string): Promise<Figures> {
  const server = start('server', [name], profile)
  const limit = setTimeout(() => {
    console.error(`${name}: given up after two minutes`)
    server.kill()
    clients?.kill()
  }, 120_000)
  let clients: ChildProcess | undefined
  try {
    const { port } = await nextMessage<{ port: number }>(server)
    const working = start('clients', [name, String(port), ...parts], profile)
    clients = working
    let figures: Figures | undefined
    return await new Promise<Figures>((resolve, reject) => {
      working.on('message', (message: { readonly ask?: 'memory'; readonly figures?: Figures }) => {
        if (message.figures) {
          figures = message.figures
          return
        }
        server.once('message', (answer) => working.send(answer as object))
        server.send(message)
      })
      working.once('exit', (code) => {
        if (figures) resolve(figures)
        else reject(new Error(`the clients of ${name} ended (${code})`))
      })
    })
  } finally {
    clearTimeout(limit)
    clients?.kill()
    if (server.connected) server.send({ ask: 'stop' })
    const late = setTimeout(() => server.kill(), 10_000)
    await ended(server)
    clearTimeout(late)
  }
}

/** Asks the parent, and waits for the answer. */
export function ask<T>(message: object): Promise<T> {
  return new Promise((resolve) => {
    process.once('message', (answer) => resolve(answer as T))
    process.send!(message)
  })
}

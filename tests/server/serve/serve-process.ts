import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { putNote, schema } from '../http/support.ts'

const command = fileURLToPath(new URL('../../../src/server/cli/cli.ts', import.meta.url))

/** A directory with the schema's file. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rowcast-serve-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  await writeFile(join(path, 'schema.json'), JSON.stringify(schema.definition))
  return path
}

/** Starts `rowcast`. */
export function start(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [command, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Runs `rowcast` to its end. */
export async function run(
  cwd: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<{ code: unknown; out: string; err: string }> {
  const child = start(cwd, args, env)
  let [out, err] = ['', '']
  child.stdout!.on('data', (data) => (out += String(data)))
  child.stderr!.on('data', (data) => (err += String(data)))
  const [code] = (await once(child, 'close')) as [unknown]
  return { code, out, err }
}

export interface ServeProcess {
  readonly child: ChildProcess
  readonly url: string
  readonly problem: () => string
}

/** `rowcast serve` on a directory, once it listens. */
export function serve(cwd: string, ...more: string[]): Promise<ServeProcess> {
  return serveOn(cwd, ['--data', 'data', ...more])
}

/** `rowcast serve` with these options, on any port, once it listens. */
export async function serveOn(cwd: string, options: readonly string[], env?: NodeJS.ProcessEnv): Promise<ServeProcess> {
  const child = start(cwd, ['serve', '--schema', 'schema.json', '--port', '0', ...options], env)
  let text = ''
  let problem = ''
  child.stderr!.on('data', (data) => (problem += String(data)))
  for await (const data of child.stdout!) {
    text += String(data)
    const url = / at (\S+)\n/.exec(text)?.[1]
    if (url !== undefined) return { child, url, problem: () => problem }
  }
  throw new Error(`the server did not start: ${problem}`)
}

/** The path of a database. */
export const a = '/v1/databases/a'

/** Puts a note of that id, by a transaction of that id. */
export async function transact(url: string, id: string): Promise<Response> {
  return fetch(`${url}${a}/transactions`, { method: 'POST', body: JSON.stringify({ id, ...putNote(id) }) })
}

/** The ids of the transactions in the log. */
export async function notes(url: string): Promise<string[]> {
  const { entries } = (await (await fetch(`${url}${a}/history?limit=1000`)).json()) as { entries: { id?: string }[] }
  return entries.flatMap(({ id }) => id ?? [])
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../stories/editor/server/serve.ts', import.meta.url))

/** The editor's sync server as a process of its own, so that it can die like one. */
export class SyncProcess {
  readonly #directory: string
  readonly #cities: number
  #child: ChildProcess | undefined
  #url = ''

  /** Starts one on an empty directory, with a sample of the largest cities. */
  static async start(cities: number): Promise<SyncProcess> {
    const process = new SyncProcess(await mkdtemp(join(tmpdir(), 'rowcast-sync-')), cities)
    await process.restart()
    return process
  }

  private constructor(directory: string, cities: number) {
    this.#directory = directory
    this.#cities = cities
  }

  get url(): string {
    return this.#url
  }

  /** On the same data and the same port as before. Resolves once it serves. */
  async restart(): Promise<void> {
    const port = this.#url === '' ? '0' : new URL(this.#url).port
    const args = [script, '--data', this.#directory, '--port', port, '--cities', String(this.#cities)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    const lines = createInterface({ input: child.stdout })
    const died = once(child, 'exit').then(() => Promise.reject(new Error('The sync server did not start.')))
    // It goes on waiting after the race.
    died.catch(() => undefined)
    const [line] = (await Promise.race([once(lines, 'line'), died])) as [string]
    this.#url = line
  }

  /** Kills it without a warning: kill -9. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  async close(): Promise<void> {
    await this.kill()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

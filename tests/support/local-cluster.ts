import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { S3Server } from './s3-server/index.ts'

const command = fileURLToPath(new URL('../../src/server/cli/cli.ts', import.meta.url))
/** The name of the bucket that is there. */
export const BUCKET = 'cluster'

export interface LocalClusterOptions {
  /** 3 if not given. */
  readonly nodes?: number
  /** Of the databases: a file, as `--schema` takes it. */
  readonly schema: string
  /** Further options of `rowcast serve`, of each of the servers. */
  readonly options?: readonly string[]
  /** The bucket that all share; one in this process if not given, which `close` ends. */
  readonly bucket?: Pick<S3Server, 'url' | 'credentials'>
  /** Where the others reach a server, by its URL: that itself if not given. */
  readonly advertise?: (url: string) => Promise<string>
}

/** `rowcast serve` in a process of its own. */
export class LocalNode {
  readonly url: string
  readonly child: ChildProcess
  /** What it has printed as errors. */
  problems = ''

  constructor(url: string, child: ChildProcess) {
    this.url = url
    this.child = child
    child.stderr!.on('data', (data) => (this.problems += String(data)))
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** Resolves once it has ended, with its exit code and signal. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<readonly [number | null, string | null]> {
    if (this.isRunning) {
      const ended = once(this.child, 'exit')
      this.child.kill(signal)
      await ended
    }
    return [this.child.exitCode, this.child.signalCode]
  }
}

/** Servers of one bucket on this machine, each in a process of its own with nothing of its own on disk. */
export class LocalCluster {
  readonly nodes: LocalNode[] = []
  readonly #bucket: Pick<S3Server, 'url' | 'credentials'>
  readonly #own: S3Server | undefined
  readonly #options: LocalClusterOptions
  readonly #folder: string

  private constructor(options: LocalClusterOptions, own: S3Server | undefined, folder: string) {
    this.#options = options
    this.#own = own
    this.#bucket = options.bucket ?? own!
    this.#folder = folder
  }

  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const own = options.bucket ? undefined : await S3Server.open({ buckets: [BUCKET] })
    const folder = await mkdtemp(join(tmpdir(), 'rowcast-cluster-'))
    const cluster = new LocalCluster(options, own, folder)
    try {
      await Promise.all(Array.from({ length: options.nodes ?? 3 }, () => cluster.add()))
    } catch (error) {
      await cluster.close()
      throw error
    }
    return cluster
  }

  get urls(): readonly string[] {
    return this.nodes.map(({ url }) => url)
  }

  /** Starts one more, at a port that was free, or at that of one that has ended. */
  async add(port?: number): Promise<LocalNode> {
    const at = port ?? (await freePort())
    const url = `http://127.0.0.1:${at}`
    const cwd = join(this.#folder, `${at}`)
    await mkdir(cwd, { recursive: true })
    const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = this.#bucket.credentials
    const { schema, options = [], advertise } = this.#options
    const reached = (await advertise?.(url)) ?? url
    const bucket = ['--log', `s3://${BUCKET}/rowcast`, '--s3-endpoint', this.#bucket.url]
    const args = [
      'serve',
      '--schema',
      schema,
      ...bucket,
      '--port',
      `${at}`,
      '--advertise',
      reached,
      '--create',
      ...options,
    ]
    const child = spawn(process.execPath, [command, ...args], {
      cwd,
      env: { ...process.env, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const node = new LocalNode(url, child)
    this.nodes.push(node)
    const ended = once(child, 'exit').then(() => {
      throw new Error(`the server at ${url} did not start: ${node.problems}`)
    })
    await Promise.race([once(child.stdout!, 'data'), ended])
    ended.catch(() => undefined)
    return node
  }

  /**
   * Who looks after a database, and who does not: those say so to whoever was sent there by another one. `undefined` where
   * nobody does just now.
   */
  async ownerOf(database: string, nodes: readonly LocalNode[] = this.nodes): Promise<LocalNode | undefined> {
    const answers = await Promise.all(
      nodes.map(({ url }) =>
        fetch(`${url}/v1/databases/${database}/history`, { headers: { 'rowcast-sent-by': 'test' } }),
      ),
    )
    await Promise.all(answers.map((answer) => answer.arrayBuffer()))
    return nodes[answers.findIndex(({ status }) => status !== 421 && status < 500)]
  }

  /** Ends all of it, at once. */
  async close(): Promise<void> {
    for (const { child } of this.nodes) child.kill('SIGCONT')
    await Promise.all(this.nodes.map((node) => node.end('SIGKILL')))
    await this.#own?.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

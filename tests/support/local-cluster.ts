import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LocalProcess, started } from './local-process.ts'
import { S3Server } from './s3-server/index.ts'

const sources = fileURLToPath(new URL('../../src/server/cli/cli.ts', import.meta.url))
/** The name of the bucket that is there. */
export const BUCKET = 'cluster'

export interface LocalClusterOptions {
  /** 3 if not given. */
  readonly nodes?: number
  /** That of the first of them, whose ports follow one another; any that are free if not given. */
  readonly port?: number
  /** The file of the command `rowcast`; the sources if not given. */
  readonly command?: string
  /** Of the databases: a file, as `--schema` takes it. */
  readonly schema: string
  /** Further options of `rowcast serve`, of each of the servers. */
  readonly options?: readonly string[]
  /** The bucket that all share; one in this process if not given, which `close` ends. */
  readonly bucket?: Pick<S3Server, 'url' | 'credentials'>
  /** The servers of NATS that have the log; it is in the bucket if not given. */
  readonly nats?: { readonly url: string } | undefined
  /** Where the others reach a server, by its URL: that itself if not given. */
  readonly advertise?: (url: string) => Promise<string>
}

/** `rowcast serve` in a process of its own. */
export type LocalNode = LocalProcess

/** Servers of one bucket on this machine, each in a process of its own with nothing of its own on disk. */
export class LocalCluster {
  readonly nodes: LocalNode[] = []
  readonly #bucket: Pick<S3Server, 'url' | 'credentials'>
  readonly #own: S3Server | undefined
  readonly #options: LocalClusterOptions
  /** Those that run. */
  readonly #children = new Set<ChildProcess>()
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
      const { nodes = 3, port } = options
      const ports = Array.from({ length: nodes }, (_, n) => (port === undefined ? freePort() : port + n))
      cluster.nodes.push(...(await Promise.all(ports.map(async (at) => cluster.#start(await at)))))
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
    const node = await this.#start(port ?? (await freePort()))
    this.nodes.push(node)
    return node
  }

  /** Starts one at the address of one that has ended, in its place. */
  async restart(node: LocalNode): Promise<LocalNode> {
    const again = await this.#start(Number(new URL(node.url).port))
    this.nodes[this.nodes.indexOf(node)] = again
    return again
  }

  async #start(port: number): Promise<LocalNode> {
    const url = `http://127.0.0.1:${port}`
    const cwd = join(this.#folder, `${port}`)
    await mkdir(cwd, { recursive: true })
    const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = this.#bucket.credentials
    const { command = sources, schema, options = [], nats, advertise } = this.#options
    const reached = (await advertise?.(url)) ?? url
    const place = `s3://${BUCKET}/rowcast`
    const log = nats ? ['--log', nats.url, '--s3', place] : ['--log', place]
    const bucket = [...log, '--s3-endpoint', this.#bucket.url]
    const args = [
      'serve',
      '--schema',
      schema,
      ...bucket,
      '--port',
      `${port}`,
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
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    await started(child, `the server at ${url}`)
    return new LocalProcess(url, child)
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
    const ended = [...this.#children].map((child) => once(child, 'exit'))
    for (const child of this.#children) child.kill('SIGKILL')
    await Promise.all(ended)
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

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { jetstreamManager } from '@nats-io/jetstream'
import { findNatsServer } from '../../scripts/nats-server.ts'
import { LocalProcess } from './local-process.ts'

const PATIENCE_MS = 40_000
const POLL_MS = 25

export interface NatsClusterOptions {
  /** 1 if not given. */
  readonly servers?: number
  readonly user?: { readonly name: string; readonly password: string }
  /** More lines of each server's configuration. */
  readonly configuration?: string
}

/** A nats-server with JetStream, as a process of its own. */
export class NatsServer {
  readonly name: string
  readonly #position: number
  readonly #routePorts: readonly number[]
  readonly #folder: string
  readonly #options: NatsClusterOptions
  #process: LocalProcess | undefined
  /** Of its clients: the operating system's choice at first, and the same after a restart. */
  #port = -1

  /** @param routePorts on which the servers of its cluster meet, this one's at its position; none where it is alone */
  constructor(position: number, routePorts: readonly number[], folder: string, options: NatsClusterOptions) {
    this.name = `n${position}`
    this.#position = position
    this.#routePorts = routePorts
    this.#folder = join(folder, this.name)
    this.#options = options
  }

  get url(): string {
    return `nats://${this.host}`
  }

  /** Without credentials. */
  get host(): string {
    return `127.0.0.1:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  /** Starts it, on what it has stored, and resolves once it takes clients. */
  async start(): Promise<void> {
    const { user, configuration = '' } = this.#options
    await mkdir(this.#folder, { recursive: true })
    const routes = this.#routePorts.map((port) => `"nats://127.0.0.1:${port}"`).join(', ')
    const lines = [
      `server_name: ${this.name}`,
      `listen: "127.0.0.1:${this.#port}"`,
      `ports_file_dir: "${this.#folder}"`,
      `jetstream { store_dir: "${this.#folder}/store", max_mem: 64MB, max_file: 4GB }`,
      routes === ''
        ? ''
        : `cluster { name: tests, listen: "127.0.0.1:${this.#routePorts[this.#position]}", routes: [${routes}] }`,
      user ? `authorization { user: "${user.name}", password: "${user.password}" }` : '',
      configuration,
    ]
    const file = join(this.#folder, 'server.conf')
    await writeFile(file, lines.join('\n'))
    const log = join(this.#folder, 'server.log')
    const child = spawn(findNatsServer() ?? 'nats-server', ['--config', file, '--log', log], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const died = once(child, 'exit').then(async () => {
      throw new Error(`${this.name} ended: ${await readFile(log, 'utf8').catch(() => 'it wrote nothing')}`)
    })
    this.#process = new LocalProcess(this.name, child)
    await Promise.race([until(() => this.#readPorts(child.pid!), `${this.name} takes no clients, see ${log}`), died])
  }

  /** What runs, or has ended; there is none before the first start. */
  get process(): LocalProcess {
    return this.#process!
  }

  get isRunning(): boolean {
    return this.#process?.isRunning === true
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** In good order. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  freeze(): void {
    this.process.freeze()
  }

  wake(): void {
    this.process.wake()
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.#process) return
    await this.#process.end(signal)
    for (const name of await portFiles(this.#folder)) await rm(join(this.#folder, name), { force: true })
  }

  async #readPorts(pid: number): Promise<boolean> {
    const name = (await portFiles(this.#folder)).find((one) => one.endsWith(`_${pid}.ports`))
    if (name === undefined) return false
    const text = await readFile(join(this.#folder, name), 'utf8')
    if (text === '') return false
    const { nats } = JSON.parse(text) as { readonly nats: readonly string[] }
    this.#port = Number(new URL(nats[0]!).port)
    return true
  }
}

/** Servers of NATS with JetStream, on a folder of their own. */
export class NatsCluster {
  readonly servers: readonly NatsServer[]
  readonly #folder: string
  readonly #options: NatsClusterOptions

  private constructor(folder: string, routePorts: readonly number[], options: NatsClusterOptions) {
    this.#folder = folder
    this.#options = options
    const { servers = 1 } = options
    this.servers = Array.from({ length: servers }, (_, n) => new NatsServer(n, routePorts, folder, options))
  }

  /** Resolves once streams can be made. */
  static async start(options: NatsClusterOptions = {}): Promise<NatsCluster> {
    const { servers = 1 } = options
    const routePorts = servers === 1 ? [] : await freePorts(servers)
    const cluster = new NatsCluster(await mkdtemp(join(tmpdir(), 'nats-')), routePorts, options)
    try {
      await Promise.all(cluster.servers.map((server) => server.start()))
      await cluster.#ready()
    } catch (error) {
      await cluster.close()
      throw error
    }
    return cluster
  }

  get url(): string {
    return `nats://${this.servers.map(({ host }) => host).join(',')}`
  }

  connect(): Promise<NatsConnection> {
    const { user } = this.#options
    return connect({
      servers: this.servers.filter(({ isRunning }) => isRunning).map(({ host }) => host),
      ...(user && { user: user.name, pass: user.password }),
    })
  }

  /** The server that decides what goes into a stream. */
  async leaderOf(stream: string): Promise<NatsServer> {
    const connection = await this.connect()
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false })
      return await until(async () => {
        const { cluster } = await manager.streams.info(stream)
        return this.servers.find(({ name, isRunning }) => isRunning && name === cluster?.leader)
      }, `${stream} has no leader`)
    } finally {
      await connection.close()
    }
  }

  async close(): Promise<void> {
    for (const server of this.servers) await server.kill()
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  /** A stream on all servers can be made. */
  async #ready(): Promise<void> {
    const connection = await this.connect()
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false })
      const trial = { name: 'ready', subjects: ['ready'], num_replicas: this.servers.length }
      await until(() => manager.streams.add(trial), 'no stream can be made')
      await until(() => manager.streams.delete(trial.name), 'no stream can be deleted')
    } finally {
      await connection.close()
    }
  }
}

async function portFiles(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.ports'))
}

/** Servers that are to know each other before they start can't be given any port. */
async function freePorts(count: number): Promise<readonly number[]> {
  const taken = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(taken.map((server) => once(server, 'listening')))
  const ports = taken.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(taken.map((server) => once(server.close(), 'close')))
  return ports
}

/** What is there once it is, whatever fails before: outside of tests there is no `expect.poll`. */
async function until<Found>(find: () => Promise<Found | undefined | false>, otherwise: string): Promise<Found> {
  const endMs = performance.now() + PATIENCE_MS
  let cause: unknown
  while (performance.now() < endMs) {
    try {
      const found = await find()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      cause = error
    }
    await pause(POLL_MS)
  }
  throw new Error(otherwise, { cause })
}

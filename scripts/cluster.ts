// A cluster to try things on: an S3 server for tests, servers of one bucket on it, and with `--log nats` three of NATS that
// have their log, each a process of its own on this machine. What is in it goes with it.
//   npm run cluster [-- --nodes 3 --port 8801 --delay 20 --schema schema.json --log s3]
// `--port` is that of the first server; the next ones follow, and the S3 server; 0 for any that are free. `--delay` is how
// many milliseconds each of its requests takes at least. The schema is that of the example editor if none is given. Ctrl-C
// ends all of it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { printTable } from '../bench/support/statistics.ts'
import { editorSchemaInput } from '../stories/editor/annotation-schema.ts'
import { LocalBucket } from '../tests/support/local-bucket.ts'
import { BUCKET, LocalCluster } from '../tests/support/local-cluster.ts'
import type { LocalProcess } from '../tests/support/local-process.ts'
import { NatsCluster } from '../tests/support/nats-cluster.ts'
import { findNatsServer } from './nats-server.ts'

const help = `k 2  kills it (SIGKILL)      t 2  ends it (SIGTERM)
f 2  freezes it, wakes it     r 2  starts it again
s    says how all are         Ctrl-C ends all`

const { values } = parseArgs({
  options: {
    log: { type: 'string', default: 's3' },
    nodes: { type: 'string', default: '3' },
    port: { type: 'string', default: '8801' },
    delay: { type: 'string', default: '0' },
    schema: { type: 'string' },
  },
})

function numberOf(name: 'nodes' | 'port' | 'delay', least: number, most: number): number {
  const text = values[name]
  if (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text)
  return refuse(`--${name} '${text}': give a number from ${least} to ${most}`)
}

function refuse(problem: string): never {
  console.error(problem)
  process.exit(2)
}

if (values.log !== 's3' && values.log !== 'nats') refuse(`--log '${values.log}': give s3 or nats`)
if (values.log === 'nats' && findNatsServer() === undefined)
  refuse('--log nats needs nats-server: "apt-get install nats-server" on Debian, or NATS_SERVER_PATH')
const count = numberOf('nodes', 1, 20)
const port = numberOf('port', 0, 65_535 - count)
const delayMs = numberOf('delay', 0, 60_000)

/** One of the processes, and how it is begun anew. */
interface Part {
  readonly url: string
  readonly process: LocalProcess
  restart(): Promise<unknown>
}

/** Everything that ends with it, by names: `1` … for servers, `s3` for the bucket's, `n1` … for those of NATS. */
class Cluster {
  readonly #folder: string
  #bucket: LocalBucket
  readonly #nats: NatsCluster | undefined
  readonly #nodes: LocalCluster
  #isEnding = false

  private constructor(folder: string, bucket: LocalBucket, nats: NatsCluster | undefined, nodes: LocalCluster) {
    this.#folder = folder
    this.#bucket = bucket
    this.#nats = nats
    this.#nodes = nodes
    for (const [name, part] of this.#parts) this.#watch(name, part)
  }

  static async start(): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'rowcast-try-'))
    let bucket: LocalBucket | undefined
    let nats: NatsCluster | undefined
    try {
      if (values.log === 'nats') nats = await NatsCluster.start({ servers: 3 })
      bucket = await startBucket(folder, port === 0 ? 0 : port + count)
      const schema = values.schema ?? join(folder, 'schema.json')
      if (values.schema === undefined) await writeFile(schema, JSON.stringify(editorSchemaInput))
      const ports = port === 0 ? {} : { port }
      return new Cluster(
        folder,
        bucket,
        nats,
        await LocalCluster.start({ nodes: count, ...ports, schema, bucket, nats }),
      )
    } catch (error) {
      await nats?.close()
      await bucket?.end()
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  get #parts(): ReadonlyMap<string, Part> {
    const parts = new Map<string, Part>()
    for (const [n, node] of this.#nodes.nodes.entries())
      parts.set(`${n + 1}`, { url: node.url, process: node, restart: () => this.#nodes.restart(node) })
    const { url } = this.#bucket
    const restart = async (): Promise<void> => {
      this.#bucket = await startBucket(this.#folder, Number(new URL(url).port))
    }
    parts.set('s3', { url, process: this.#bucket, restart })
    for (const [n, server] of this.#nats?.servers.entries() ?? [])
      parts.set(`n${n + 1}`, { url: server.url, process: server.process, restart: () => server.start() })
    return parts
  }

  say(): void {
    console.log()
    printTable(
      ['', 'URL', 'pid', 'state'],
      Array.from(this.#parts, ([name, { url, process: one }]) => [name, url, `${one.child.pid}`, stateOf(one)]),
    )
    console.log(`\n${help}\n`)
  }

  /** One line of what somebody types. */
  async take(line: string): Promise<void> {
    const [command = '', name = ''] = line.trim().toLowerCase().split(/\s+/)
    if (command === '') return
    if (command === 's') return this.say()
    const part = this.#parts.get(name)
    if (!part || !'ktfr'.includes(command)) {
      console.log(`'${line.trim()}' says nothing here.\n${help}`)
      return
    }
    const { process: one } = part
    if (command === 'r') await this.#restart(name, part)
    else if (!one.isRunning) console.log(`${name} has ended: r ${name} starts it again`)
    else if (command === 'k') await one.end('SIGKILL')
    else if (command === 't') one.child.kill('SIGTERM')
    else if (one.isFrozen) this.#tell(name, () => one.wake())
    else this.#tell(name, () => one.freeze())
  }

  /** The servers first: they hand over to one another, and say goodbye in the bucket. */
  async end(): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    for (const { process: one } of this.#parts.values()) if (one.isFrozen) one.wake()
    await Promise.all(this.#nodes.nodes.map((node) => node.end()))
    await this.#nodes.close()
    await this.#nats?.close()
    await this.#bucket.end()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #restart(name: string, part: Part): Promise<void> {
    await part.process.end('SIGKILL')
    await part.restart()
    this.#watch(name, this.#parts.get(name)!)
    this.#tell(name)
  }

  #tell(name: string, change?: () => void): void {
    change?.()
    const { url, process: one } = this.#parts.get(name)!
    console.log(`${name} ${url} (pid ${one.child.pid}) is ${stateOf(one)}`)
  }

  #watch(name: string, { url, process: one }: Part): void {
    one.child.stderr!.on('data', (data) => {
      for (const line of String(data).trimEnd().split('\n')) console.log(`${name}: ${line}`)
    })
    one.child.once('exit', () => console.log(`${name} ${url} (pid ${one.child.pid}) has ${stateOf(one)}`))
  }
}

function startBucket(folder: string, at: number): Promise<LocalBucket> {
  return LocalBucket.start({ bucket: BUCKET, port: at, folder: join(folder, 's3'), delayMs })
}

function stateOf({ isRunning, isFrozen, child }: LocalProcess): string {
  if (isRunning) return isFrozen ? 'frozen' : 'running'
  return `ended, ${child.signalCode ?? `code ${child.exitCode}`}`
}

const starting = Cluster.start()
let ending: Promise<void> | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    ending ??= starting.then((cluster) => cluster.end()).then(() => process.exit(0))
  })
const cluster = await starting.catch((error: unknown) => refuse(error instanceof Error ? error.message : String(error)))
cluster.say()
// What was typed meanwhile as well.
for await (const line of createInterface({ input: process.stdin }))
  await cluster.take(line).catch((error: unknown) => console.error(error instanceof Error ? error.message : error))

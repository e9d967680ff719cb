// A cluster to try things on: an S3 server for tests, and servers of one bucket on it, each a process of its own on this
// machine. What is in it goes with it.
//   npm run cluster [-- --nodes 3 --port 8801 --delay 20 --schema schema.json --log s3]
// `--port` is that of the first server; the next ones follow, and the S3 server; 0 for any that are free. `--delay` is how many milliseconds each
// of its requests takes at least. The schema is that of the example editor if none is given. Ctrl-C ends all of it.
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

if (values.log === 'nats') refuse('--log nats is not there yet: leave it out, or give --log s3')
if (values.log !== 's3') refuse(`--log '${values.log}': s3 is the one that there is`)
const count = numberOf('nodes', 1, 20)
const port = numberOf('port', 0, 65_535 - count)
const delayMs = numberOf('delay', 0, 60_000)

/** Everything that ends with it, and the words for each: `1` … for servers, `s3` for the bucket's. */
class Cluster {
  readonly #folder: string
  #bucket: LocalBucket
  readonly #nodes: LocalCluster
  #isEnding = false

  private constructor(folder: string, bucket: LocalBucket, nodes: LocalCluster) {
    this.#folder = folder
    this.#bucket = bucket
    this.#nodes = nodes
    for (const [name, one] of this.#all) this.#watch(name, one)
  }

  static async start(): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'rowcast-try-'))
    let bucket: LocalBucket | undefined
    try {
      bucket = await startBucket(folder, port === 0 ? 0 : port + count)
      const schema = values.schema ?? join(folder, 'schema.json')
      if (values.schema === undefined) await writeFile(schema, JSON.stringify(editorSchemaInput))
      const ports = port === 0 ? {} : { port }
      return new Cluster(folder, bucket, await LocalCluster.start({ nodes: count, ...ports, schema, bucket }))
    } catch (error) {
      await bucket?.end()
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  get #all(): readonly (readonly [name: string, one: LocalProcess])[] {
    return [...this.#nodes.nodes.map((node, n) => [`${n + 1}`, node] as const), ['s3', this.#bucket]]
  }

  say(): void {
    console.log()
    printTable(
      ['', 'URL', 'pid', 'state'],
      this.#all.map(([name, one]) => [name, one.url, `${one.child.pid}`, stateOf(one)]),
    )
    console.log(`\n${help}\n`)
  }

  /** One line of what somebody types. */
  async take(line: string): Promise<void> {
    const [command = '', name = ''] = line.trim().toLowerCase().split(/\s+/)
    if (command === '') return
    if (command === 's') return this.say()
    const one = this.#all.find(([known]) => known === name)?.[1]
    if (!one || !'ktfr'.includes(command)) {
      console.log(`'${line.trim()}' says nothing here.\n${help}`)
      return
    }
    if (command === 'r') await this.#restart(name, one)
    else if (!one.isRunning) console.log(`${name} has ended: r ${name} starts it again`)
    else if (command === 'k') await one.end('SIGKILL')
    else if (command === 't') one.child.kill('SIGTERM')
    else if (one.isFrozen) this.#tell(name, one, () => one.wake())
    else this.#tell(name, one, () => one.freeze())
  }

  /** The servers first: they hand over to one another, and say goodbye in the bucket. */
  async end(): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    for (const [, one] of this.#all) if (one.isFrozen) one.wake()
    await Promise.all(this.#nodes.nodes.map((node) => node.end()))
    await this.#nodes.close()
    await this.#bucket.end()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #restart(name: string, one: LocalProcess): Promise<void> {
    await one.end('SIGKILL')
    const again =
      one === this.#bucket
        ? await startBucket(this.#folder, Number(new URL(one.url).port))
        : await this.#nodes.restart(one)
    if (again instanceof LocalBucket) this.#bucket = again
    this.#watch(name, again)
    this.#tell(name, again)
  }

  #tell(name: string, one: LocalProcess, change?: () => void): void {
    change?.()
    console.log(`${name} ${one.url} (pid ${one.child.pid}) is ${stateOf(one)}`)
  }

  #watch(name: string, one: LocalProcess): void {
    one.child.stderr!.on('data', (data) => {
      for (const line of String(data).trimEnd().split('\n')) console.log(`${name}: ${line}`)
    })
    one.child.once('exit', () => {
      console.log(`${name} ${one.url} (pid ${one.child.pid}) has ${stateOf(one)}`)
    })
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

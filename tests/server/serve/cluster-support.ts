import { join } from 'node:path'
import { createStore, type Store } from 'rowcast'
import { webSocketTransport, type sseTransport } from 'rowcast/transport'
import { expect, onTestFinished } from 'vitest'
import { LocalCluster, type LocalClusterOptions, type LocalNode } from '../../support/local-cluster.ts'
import { schema } from '../http/support.ts'
import { RawClient } from './raw-client.ts'
import { a, folder, notes, transact } from './serve-process.ts'

/** Servers that share what they have, until the test is over. */
export async function start(nodes: number, more: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> {
  const cluster = await LocalCluster.start({ nodes, schema: join(await folder(), 'schema.json'), ...more })
  onTestFinished(() => cluster.close())
  return cluster
}

/** The server that looks after the database, and the others. */
export async function sort(cluster: LocalCluster): Promise<{ owner: LocalNode; others: readonly LocalNode[] }> {
  const nodes = cluster.nodes.filter(({ isRunning }) => isRunning)
  const owner = await cluster.ownerOf('a', nodes)
  if (!owner) throw new Error('nobody looks after the database')
  return { owner, others: nodes.filter((node) => node !== owner) }
}

export async function open(
  nodes: readonly LocalNode[],
  transport: typeof webSocketTransport | typeof sseTransport = webSocketTransport,
): Promise<Store<(typeof schema)['definition']>> {
  const urls = nodes.map(({ url }) => url)
  const store = await createStore({ schema, sync: { transport: transport({ url: urls }), database: 'a' } })
  onTestFinished(() => store.close())
  return store
}

export async function connect({ url }: LocalNode): Promise<RawClient> {
  const client = new RawClient(`${url}${a}/sync`)
  await client.opened
  await client.hello('a')
  return client
}

/** Writes by requests to any of the servers; those that were acknowledged. */
export class Writer {
  readonly acknowledged: string[] = []
  readonly #urls: () => readonly string[]
  #isEnding = false
  readonly #writing: Promise<void>

  constructor(urls: () => readonly string[]) {
    this.#urls = urls
    this.#writing = this.#write()
  }

  /** Until so many more were acknowledged. */
  async goOn(count: number): Promise<void> {
    const wanted = this.acknowledged.length + count
    await expect.poll(() => this.acknowledged.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(wanted)
  }

  async end(): Promise<readonly string[]> {
    this.#isEnding = true
    await this.#writing
    return this.acknowledged
  }

  async #write(): Promise<void> {
    for (let n = 0; !this.#isEnding; n++) {
      const urls = this.#urls()
      // What nobody answered is sent again, under the same id.
      for (let attempt = 0; ; attempt++) {
        const response = await transact(urls[(n + attempt) % urls.length]!, `w${n}`).catch(unanswered)
        if (response?.status === 200) break
        if (response && response.status !== 503) throw new Error(`answered ${response.status} ${await response.text()}`)
        if (this.#isEnding) return
      }
      this.acknowledged.push(`w${n}`)
    }
  }
}

/** Each of these is in the log once. */
export async function expectKept(nodes: readonly LocalNode[], acknowledged: readonly string[]): Promise<void> {
  for (const { url } of nodes) {
    const there = await notes(url)
    expect(new Set(there).size).toBe(there.length)
    expect(there).toEqual(expect.arrayContaining([...acknowledged]))
  }
}

/** Nobody answered: the server is gone, or went. Anything else is thrown. */
function unanswered(error: unknown): undefined {
  if (!(error instanceof TypeError && error.message === 'fetch failed')) throw error
}

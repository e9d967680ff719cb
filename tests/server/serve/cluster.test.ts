import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createStore, type Store } from 'rowcast'
import { sseTransport, webSocketTransport } from 'rowcast/transport'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LocalCluster, type LocalNode } from '../../support/local-cluster.ts'
import { schema } from '../http/support.ts'
import { RawClient } from './raw-client.ts'
import { a, folder, notes, transact } from './serve-process.ts'

async function start(nodes: number): Promise<LocalCluster> {
  const cluster = await LocalCluster.start({ nodes, schema: join(await folder(), 'schema.json') })
  onTestFinished(() => cluster.close())
  return cluster
}

/** The server that looks after the database, and the others. */
async function sort(cluster: LocalCluster): Promise<{ owner: LocalNode; others: readonly LocalNode[] }> {
  const nodes = cluster.nodes.filter(({ isRunning }) => isRunning)
  const owner = await cluster.ownerOf('a', nodes)
  if (!owner) throw new Error('nobody looks after the database')
  return { owner, others: nodes.filter((node) => node !== owner) }
}

async function open(
  nodes: readonly LocalNode[],
  transport: typeof webSocketTransport | typeof sseTransport = webSocketTransport,
): Promise<Store<(typeof schema)['definition']>> {
  const urls = nodes.map(({ url }) => url)
  const store = await createStore({ schema, sync: { transport: transport({ url: urls }), database: 'a' } })
  onTestFinished(() => store.close())
  return store
}

async function connect({ url }: LocalNode): Promise<RawClient> {
  const client = new RawClient(`${url}${a}/sync`)
  await client.opened
  await client.hello('a')
  return client
}

/** Writes by requests to any of the servers; those that were acknowledged. */
class Writer {
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
        const response = await transact(urls[(n + attempt) % urls.length]!, `w${n}`).catch(() => undefined)
        if (response?.status === 200) break
        if (response && response.status !== 503) throw new Error(`answered ${response.status} ${await response.text()}`)
        if (this.#isEnding) return
      }
      this.acknowledged.push(`w${n}`)
    }
  }
}

/** Each of these is in the log once. */
async function expectKept(nodes: readonly LocalNode[], acknowledged: readonly string[]): Promise<void> {
  for (const { url } of nodes) {
    const there = await notes(url)
    expect(new Set(there).size).toBe(there.length)
    expect(there).toEqual(expect.arrayContaining([...acknowledged]))
  }
}

describe('several servers of one bucket', { timeout: 120_000 }, () => {
  test('whoever comes to one of them has the database, wherever it is looked after', async () => {
    const cluster = await start(3)
    const { nodes } = cluster
    const clients = await Promise.all(nodes.map(connect))
    await sort(cluster)
    for (const [n, client] of clients.entries()) client.put(`from-${n}`)
    for (const [own, client] of clients.entries())
      for (const n of nodes.keys()) if (n !== own) await client.told(`from-${n}`)
    for (const [n, { url }] of nodes.entries()) expect((await transact(url, `call-${n}`)).status).toBe(200)
    const known = [...nodes.keys()].map((n) => `call-${n}`)
    for (const client of clients) for (const id of known) await client.told(id)
    await expectKept(nodes, known)
    const files = await Promise.all(nodes.map(async ({ url }) => (await fetch(`${url}${a}/export`)).arrayBuffer()))
    for (const file of files) expect(Buffer.from(file).subarray(0, 15).toString()).toBe('SQLite format 3')
  })

  test.each([
    ['a WebSocket', webSocketTransport],
    ['server-sent events', sseTransport],
  ] as const)('long messages are passed on both ways over %s', async (_what, transport) => {
    const cluster = await start(2)
    expect((await transact(cluster.urls[0]!, 'first')).status).toBe(200)
    const { owner, others } = await sort(cluster)
    const [here, there] = await Promise.all([open([owner]), open(others, transport)])
    const ids = Array.from({ length: 5_000 }, (_, n) => `${'long-'.repeat(20)}${n}`)
    there.table('note').insert(ids.map((id) => ({ id })))
    await expect.poll(() => here.table('note').count(), { timeout: 20_000 }).toBe(ids.length + 1)
    const late = await open(others, transport)
    await expect.poll(() => late.table('note').count(), { timeout: 20_000 }).toBe(ids.length + 1)
    here.table('note').insert({ id: 'last' })
    for (const store of [there, late]) await expect.poll(() => store.table('note').get('last')).toBeDefined()
  })

  test('a fork goes to the server that is to look after it, whoever is asked', async () => {
    const { nodes } = await start(3)
    for (const id of ['one', 'two']) expect((await transact(nodes[0]!.url, id)).status).toBe(200)
    const names = Array.from({ length: 12 }, (_, n) => `fork-${n}`)
    const answers = await Promise.all(
      names.map(async (name, n) => {
        const body = JSON.stringify({ name, at: 2 })
        const answer = await fetch(`${nodes[n % 3]!.url}${a}/fork`, { method: 'POST', body })
        return { status: answer.status, body: (await answer.json()) as unknown }
      }),
    )
    for (const [n, answer] of answers.entries())
      expect(answer).toEqual({
        status: 201,
        body: { name: names[n], sequence: 1, from: { database: 'a', sequence: 2 } },
      })
    const path = join(await folder(), 'fork.db')
    for (const name of names) {
      const file = await fetch(`${nodes[1]!.url}/v1/databases/${name}/export`)
      await writeFile(path, Buffer.from(await file.arrayBuffer()))
      const database = new DatabaseSync(path)
      expect(database.prepare('select id from note').all()).toEqual([{ id: 'one' }])
      database.close()
    }
    const again = await fetch(`${nodes[2]!.url}${a}/fork`, { method: 'POST', body: JSON.stringify({ name: names[0] }) })
    expect(again.status).toBe(409)
    const forged = { 'rowcast-sent-by': `${Buffer.from('{"made":{}}').toString('base64url')}.x` }
    const made = await fetch(`${nodes[0]!.url}/v1/databases/forged`, { method: 'PUT', headers: forged, body: 'x' })
    expect([201, 421]).toContain(made.status)
  })

  test('an owner that is killed has another one in its place, and nothing acknowledged is lost', async () => {
    const cluster = await start(3)
    const store = await open(cluster.nodes)
    const writer = new Writer(() => cluster.nodes.filter(({ child }) => !child.killed).map(({ url }) => url))
    await writer.goOn(10)
    const { owner, others } = await sort(cluster)
    const passedOn = await connect(others[0]!)
    owner.child.kill('SIGKILL')
    // It is to come back to the one that it is connected to.
    const closing = await passedOn.until(({ type }) => type === 'closing')
    expect(closing).toMatchObject({ n: passedOn.messages.length - 1, code: 'too-slow', retryAfterMs: 0 })
    await writer.goOn(20)
    const acknowledged = await writer.end()
    await expectKept(others, acknowledged)
    const last = acknowledged.at(-1)!
    await expect.poll(() => store.table('note').get(last), { timeout: 10_000 }).toBeDefined()
    await sort(cluster)
  })

  test('an owner that was frozen says nothing of its own when it wakes', async () => {
    const cluster = await start(2)
    const writer = new Writer(() => cluster.urls)
    await writer.goOn(5)
    await writer.end()
    const { owner, others } = await sort(cluster)
    const client = await connect(owner)
    owner.child.kill('SIGSTOP')
    const other = others[0]!
    const stopped = new Writer(() => [other.url])
    await stopped.goOn(5)
    // It is asked while it sleeps, and answers once it wakes.
    const answer = fetch(`${owner.url}${a}/history?limit=1000`)
    owner.child.kill('SIGCONT')
    const there = (await (await answer).json()) as { entries: { id?: string }[] }
    expect(there.entries.map(({ id }) => id)).toEqual(expect.arrayContaining(stopped.acknowledged.slice(0, 5)))
    await client.closed
    await expectKept(cluster.nodes, await stopped.end())
  })

  test('a server that goes hands over what it has, and tells its clients where to go', async () => {
    const cluster = await start(2)
    const writer = new Writer(() => cluster.nodes.filter(({ child }) => !child.killed).map(({ url }) => url))
    await writer.goOn(5)
    const { owner, others } = await sort(cluster)
    const store = await open([owner])
    const client = new RawClient(`${owner.url}${a}/sync`)
    await client.opened
    client.send({
      type: 'hello',
      protocol: 5,
      schemaVersion: 1,
      database: 'a',
      subscriptions: [{ id: 'all', sets: [] }],
    })
    await client.until(({ type }) => type === 'welcome')
    owner.child.kill('SIGTERM')
    expect(await client.until(({ type }) => type === 'closing')).toMatchObject({ redirect: others[0]!.url })
    expect(await once(owner.child, 'exit')).toEqual([0, null])
    await writer.goOn(10)
    const acknowledged = await writer.end()
    await expectKept(others, acknowledged)
    await expect.poll(() => store.table('note').get(acknowledged.at(-1)!), { timeout: 10_000 }).toBeDefined()
  })
})

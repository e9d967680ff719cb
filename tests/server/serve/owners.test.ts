import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LocalCluster } from '../../support/local-cluster.ts'
import { NatsCluster } from '../../support/nats-cluster.ts'
import { connect, expectKept, open, sort, start, Writer } from './cluster-support.ts'
import { RawClient } from './raw-client.ts'
import { a } from './serve-process.ts'

describe.each(['a bucket', 'NATS'])('servers with their log in %s', { timeout: 120_000 }, (log) => {
  let nats: NatsCluster | undefined

  beforeAll(async () => {
    if (log === 'NATS') nats = await NatsCluster.start({ servers: 3 })
  }, 120_000)
  afterAll(() => nats?.close())

  function begin(nodes: number): Promise<LocalCluster> {
    return start(nodes, { nats })
  }

  test('an owner that is killed has another one in its place, and nothing acknowledged is lost', async () => {
    const cluster = await begin(3)
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
    const cluster = await begin(2)
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
    const cluster = await begin(2)
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

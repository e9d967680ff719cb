import type { ServerCore } from 'rowcast/server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openServer } from '../../support/sync-world.ts'
import { contentOf, put, RawClient } from './raw-client.ts'

let core: ServerCore
let good: RawClient
let reported: unknown[]

beforeEach(async () => {
  reported = []
  core = await openServer({ limits: { transactions: 10, buffered: 1_000 }, onError: (error) => reported.push(error) })
  good = await RawClient.enter(core)
})

afterEach(async () => {
  await core.close()
})

const many = (count: number): { id: string; changes: ReturnType<typeof put>[] }[] =>
  Array.from({ length: count }, (_, index) => ({ id: `many-${index}`, changes: [put(index)] }))

test('more transactions at once than are allowed end the connection, and none of the message is applied', async () => {
  const bad = await RawClient.enter(core)
  bad.post({ type: 'transact', transactions: many(11) })
  expect(await bad.closing()).toMatchObject({ code: 'flood', retryAfterMs: 500 })
  expect(await good.commit([put(99)])).toMatchObject({ type: 'commits' })
  expect(Object.keys(await contentOf(core))).toEqual(['note 99'])
})

test('as many as are allowed may wait, over and over', async () => {
  const client = await RawClient.enter(core)
  for (let round = 0; round < 3; round++) {
    const transactions = many(10).map(({ id }, index) => ({ id: `${id}-${round}`, changes: [put(round * 10 + index)] }))
    client.post({ type: 'transact', transactions })
    await Promise.all(transactions.map(({ id }) => client.verdict(id)))
  }
  expect(client.ended).toBeUndefined()
  expect(Object.keys(await contentOf(core))).toHaveLength(30)
})

test('several messages that wait together are too many as well, and what came before is decided', async () => {
  const bad = await RawClient.enter(core)
  const transactions = many(12)
  const { database, release } = await core.databases.use('scene')
  const { promise: gate, resolve: decide } = Promise.withResolvers<void>()
  const held = database.run(() => gate)
  bad.post({ type: 'transact', transactions: transactions.slice(0, 6) })
  bad.post({ type: 'transact', transactions: transactions.slice(6) })
  expect(await bad.closing()).toMatchObject({ code: 'flood' })
  decide()
  await held
  release()
  await good.commit([put(99)])
  const there = Object.keys(await contentOf(core))
  expect(there).toHaveLength(7)
})

test('a slow reader is told to come back, and gets the difference then, once', async () => {
  const slow = await RawClient.enter(core)
  await good.commit([put(1)])
  await slow.settled()
  const { position } = slow
  slow.buffered = 1_001
  await good.commit([put(2)])
  expect(await slow.closing()).toMatchObject({ code: 'too-slow', retryAfterMs: 500 })
  expect(slow.commits).toHaveLength(2)
  await good.commit([put(3)])
  const back = await RawClient.enter(core, { position })
  expect(await back.next('commits')).toMatchObject({ commits: [{ changes: [put(2), put(3)] }] })
  expect(reported).toEqual([])
})

test('a connection that breaks while it is being welcomed leaves nothing behind', async () => {
  for (let step = 0; step < 20; step++) {
    const client = new RawClient(core)
    client.hello()
    client.transact([put(step)])
    for (let turn = 0; turn < step; turn++) await Promise.resolve()
    client.leave()
  }
  expect(await good.commit([put(99)])).toMatchObject({ type: 'commits' })
  expect(core.sessions.size).toBe(1)
  expect(reported).toEqual([])
})

test('a server that goes down says so, and that one may come again', async () => {
  const waiting = new RawClient(core)
  await core.close()
  expect(await good.closing()).toMatchObject({ code: 'shutting-down', retryAfterMs: 500 })
  expect(await waiting.closing()).toMatchObject({ code: 'shutting-down' })
  expect(good.ended!.code).toBe(1001)
  expect(reported).toEqual([])
})

test('a database that is deleted ends its connections for good', async () => {
  await core.databases.delete('scene')
  const closing = await good.closing()
  expect(closing).toMatchObject({ code: 'unknown-database' })
  expect(closing).not.toHaveProperty('retryAfterMs')
})

test('a presence that is nested deeper than it could be written again ends its own connection, and nothing else', async () => {
  const bad = await RawClient.enter(core)
  // Read with less of the stack than it takes to write: told on, it would have brought the server down.
  const depth = 3_000
  bad.raw(`{"n":${bad.posted},"type":"presence","state":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`)
  expect(await bad.closing()).toMatchObject({ code: 'malformed' })
  expect(await good.commit([put(1)])).toMatchObject({ type: 'commits' })
})

// What is known to be wrong.

test.each(['../scene', '.secret', '\0'])(
  'there is no database called %o, which is no failure of the server',
  async (database) => {
    const bad = new RawClient(core)
    bad.hello({ database })
    expect(await bad.closing()).toMatchObject({ code: 'unknown-database' })
  },
)

test('two subscriptions of one id in hello end the connection, as they do later', async () => {
  const client = new RawClient(core)
  client.hello({
    subscriptions: [
      { id: 'a', sets: [{ table: 'note' }] },
      { id: 'a', sets: [{ table: 'layer' }] },
    ],
  })
  expect(await client.closing()).toMatchObject({ type: 'closing', code: 'malformed' })
})

test('a transaction that waits while the server goes down is no failure to be reported', async () => {
  good.transact([put(1)])
  await core.close()
  await new Promise((resolve) => setImmediate(resolve))
  expect(reported).toEqual([])
})

test('who comes as the server goes down is told so', async () => {
  await core.close()
  const late = new RawClient(core)
  late.hello()
  expect(await late.closing()).toMatchObject({ code: 'shutting-down' })
})

test('a slow reader is told to come back however it makes the server talk', async () => {
  const slow = await RawClient.enter(core)
  slow.buffered = 1_001
  await slow.settled()
  expect(slow.ended).toMatchObject({ reason: 'too-slow' })
})

import { memoryLogStorage, memorySnapshotStorage, ServerCore, type ServerOptions } from 'rowcast/server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openServer, sceneSchema } from '../../support/sync-world.ts'
import { put, RawClient } from '../session/raw-client.ts'

/** It takes many turns of the event loop. */
const ROWS = 20_000

let core: ServerCore
let storage: ServerOptions['storage']
let reported: unknown[]

beforeEach(async () => {
  reported = []
  storage = { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() }
  core = await openServer({ storage, onError: (error) => reported.push(error) })
})

afterEach(async () => {
  await core.close()
  expect(reported).toEqual([])
})

const rows = (from: number): ReturnType<typeof put>[] =>
  Array.from({ length: ROWS }, (_, n) => put(from + n, { slug: `s${from + n}` }))

test('while a long transaction is decided others are served, and see nothing of it', async () => {
  const [writer, other] = await Promise.all([RawClient.enter(core), RawClient.enter(core)])
  const order: string[] = []
  const commit = writer.commit(rows(0)).then(() => order.push('confirmed'))
  other.post({ type: 'ping' })
  await other.next('pong')
  order.push('pong')
  const late = await RawClient.enter(core)
  await commit
  expect(order).toEqual(['pong', 'confirmed'])
  // Who came meanwhile has all of it or nothing.
  const first = late.messages.find(({ type }) => type === 'rows' || type === 'commits')
  expect(first).toBeDefined()
  const seen = late.messages.flatMap((message) => (message.type === 'rows' ? message.rows : []))
  expect([0, ROWS]).toContain(seen.length)
})

test('a long transaction that is refused at its end leaves nothing, and the next is decided', async () => {
  const client = await RawClient.enter(core)
  const last = put(0, { slug: 's1' })
  client.post({ type: 'transact', transactions: [{ id: 'long', changes: [...rows(1), last] }] })
  client.post({ type: 'transact', transactions: [{ id: 'next', changes: [put(1, { slug: 's1' })] }] })
  expect(await client.next('refused')).toMatchObject({ id: 'long', code: 'constraint' })
  await client.find('commits', ({ commits }) => commits.some(({ id }) => id === 'next'))
  const fresh = await RawClient.enter(core)
  expect(fresh.messages.flatMap((message) => (message.type === 'rows' ? message.rows : []))).toHaveLength(1)
})

test('a server that is closed while a long transaction is decided has all of it afterwards, or nothing', async () => {
  const client = await RawClient.enter(core)
  client.post({ type: 'transact', transactions: [{ id: 'long', changes: rows(0) }] })
  client.post({ type: 'ping' })
  await client.next('pong')
  await core.close()
  core = new ServerCore({ schema: sceneSchema, storage, onError: (error) => reported.push(error) })
  const after = await RawClient.enter(core)
  const kept = after.messages.flatMap((message) => (message.type === 'rows' ? message.rows : []))
  const isConfirmed = client.messages.some(({ type }) => type === 'commits')
  expect(isConfirmed ? [ROWS] : [0, ROWS]).toContain(kept.length)
})

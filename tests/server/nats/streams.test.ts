import { randomBytes } from 'node:crypto'
import { jetstreamManager, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream'
import type { NatsConnection as Connection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { S3ObjectStore } from '../../../src/server/bucket/index.ts'
import { JetStreamSlotLog, NatsConnection, type JetStreamSlotLogOptions } from '../../../src/server/nats/index.ts'
import { NatsCluster } from '../../support/nats-cluster.ts'
import { Bucket } from '../../support/s3-seat.ts'
import { S3Server } from '../../support/s3-server/index.ts'

const user = { name: 'rowcast', password: 'p@ss,w/rd%:' }
let cluster: NatsCluster
let connection: Connection
let manager: JetStreamManager
let shard = 0

beforeAll(async () => {
  cluster = await NatsCluster.start({ user })
  connection = await cluster.connect()
  manager = await jetstreamManager(connection)
})
afterAll(async () => {
  await connection.close()
  await cluster.close()
})

function open(options: Partial<JetStreamSlotLogOptions> & { readonly password?: string } = {}): JetStreamSlotLog {
  const { password = user.password, ...more } = options
  const url = cluster.url.replace('nats://', `nats://${user.name}:${encodeURIComponent(password)}@`)
  const connection = new NatsConnection({ url })
  onTestFinished(() => connection.close())
  return new JetStreamSlotLog({ connection, shard, relaxed: true, patienceMs: 1_000, ...more })
}

/** A number that no test has had, and the names of its stream. */
function next(): { readonly name: string; readonly subjects: string[] } {
  const number = String(++shard).padStart(4, '0')
  return { name: `rowcast-${number}`, subjects: [`rowcast.${number}`] }
}

test('a stream is made by all who want it at once, and is on files', async () => {
  const { name } = next()
  await Promise.all([open(), open(), open()].map((log) => log.slots(0)))
  const { config } = await manager.streams.info(name)
  expect(config).toMatchObject({ storage: 'file', num_replicas: 1, discard: 'new', max_age: 0 })
})

test('three servers are needed, unless it is relaxed', async () => {
  next()
  expect(() => open({ relaxed: false, replicas: 1 })).toThrow('give 3 or more')
  await expect(open({ relaxed: false }).slots(0)).rejects.toThrow(/is to be on 3 servers.*relaxed/)
})

interface Refusal {
  readonly why: string
  readonly settings?: Partial<StreamConfig>
  /** It loses records though no server is lost. */
  readonly always?: boolean
}

test.for<Refusal>([
  { why: 'has 1 replicas' },
  { why: 'lies in memory', settings: { storage: 'memory' } },
  { why: 'has limits', settings: { max_msgs: 10 }, always: true },
  { why: 'has limits', settings: { max_age: 60_000_000_000 }, always: true },
  { why: 'takes other messages', settings: { subjects: ['others.>'] }, always: true },
])('a stream that $why is refused: $settings', async ({ why, settings, always = false }) => {
  const { name, subjects } = next()
  await manager.streams.add({ name, subjects, ...settings })
  await expect(open({ relaxed: false }).slots(0)).rejects.toThrow(why)
  if (always) await expect(open().put(1, randomBytes(4))).rejects.toThrow(why)
  else expect(await open().slots(0)).toEqual([])
})

test('whoever may not connect is told so, and nothing of the password', async () => {
  next()
  const log = open({ password: 'gu€ss' })
  const told: unknown[] = []
  for (const asked of [log.slots(0), log.put(1, randomBytes(4))])
    told.push(await asked.catch((error: unknown) => error))
  for (const error of told) {
    expect(String(error)).toContain('Authorization Violation')
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error)) + (error as Error).stack).not.toMatch(/gu.{1,9}ss/)
  }
})

test('a record that fits no message is refused where there is no bucket, and whole where there is one', async () => {
  next()
  const server = await S3Server.open({ buckets: [Bucket] })
  onTestFinished(() => server.close())
  const store = new S3ObjectStore({ url: `s3://${Bucket}/c`, endpoint: server.url, credentials: server.credentials })
  const prefix = 'large/0001/'
  const logs = [open({ large: { store, prefix } }), open({ large: { store, prefix } })] as const
  const large = randomBytes(3 << 20)
  const most = randomBytes((1 << 20) - 1_024)
  await expect(open().put(1, large)).rejects.toThrow('too large')
  expect(await Promise.all([logs[0].put(1, large), logs[0].put(1, large)])).toEqual([true, true])
  expect(await logs[1].put(1, randomBytes(3 << 20))).toBe(false)
  expect(await logs[1].put(2, most)).toBe(true)
  expect(Buffer.from((await logs[1].get(1))!)).toEqual(large)
  expect(Buffer.from((await logs[0].get(2))!)).toEqual(most)

  const keys = async (): Promise<readonly string[]> => {
    const all: string[] = []
    for await (const { key } of store.list(prefix)) all.push(key)
    return all
  }
  expect(await keys()).toHaveLength(2)
  const [object] = await keys()
  await store.put(object!, randomBytes(8))
  await store.put((await keys())[1]!, randomBytes(8))
  await expect(logs[1].get(1)).rejects.toThrow('not what was written')
  await logs[0].trim(2, () => false)
  expect(await keys()).toEqual([])
  expect(await logs[1].get(1)).toBeUndefined()
})

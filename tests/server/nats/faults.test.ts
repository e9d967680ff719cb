import { randomBytes } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RowcastError } from '../../../src/errors/index.ts'
import { Shard, ShardedLogStorage } from '../../../src/server/cluster/index.ts'
import { JetStreamSlotLog, NatsConnection, NatsError } from '../../../src/server/nats/index.ts'
import { NatsCluster, type NatsClusterOptions } from '../../support/nats-cluster.ts'
import { ThrottledProxy } from '../../support/throttled-proxy.ts'

async function start(options: NatsClusterOptions): Promise<NatsCluster> {
  const cluster = await NatsCluster.start(options)
  onTestFinished(() => cluster.close())
  return cluster
}

function open(url: string, more: { readonly relaxed?: boolean; readonly patienceMs?: number } = {}): JetStreamSlotLog {
  const connection = new NatsConnection({ url })
  onTestFinished(() => connection.close())
  return new JetStreamSlotLog({ connection, shard: 0, ...more })
}

/** All records of a log. */
async function readAll(log: JetStreamSlotLog): Promise<readonly string[]> {
  const slots = await log.slots(0)
  expect(slots).toEqual(slots.map((_, n) => n + 1))
  const records: string[] = []
  for (const slot of slots) records.push(Buffer.from((await log.get(slot))!).toString('hex'))
  return records
}

/** Writes one record after the other, each behind the last that is known, until it is told to stop: those that went in. */
async function write(log: JetStreamSlotLog, isOver: () => boolean): Promise<readonly (readonly [number, string])[]> {
  const written: (readonly [number, string])[] = []
  for (let slot = 1; !isOver(); slot++) {
    const bytes = randomBytes(64)
    if (await log.put(slot, bytes)) written.push([slot, bytes.toString('hex')])
  }
  return written
}

describe('three servers', () => {
  test('one of many who write a slot at once is told that it is his, round after round', async () => {
    const cluster = await start({ servers: 3 })
    const logs = Array.from({ length: 4 }, () => open(cluster.url))
    for (let slot = 1; slot <= 50; slot++) {
      const tries = [...logs, ...logs].map((log) => ({ log, bytes: randomBytes(32) }))
      const told = await Promise.all(tries.map(({ log, bytes }) => log.put(slot, bytes)))
      expect(told.filter(Boolean)).toHaveLength(1)
      expect(Buffer.from((await logs[slot % 4]!.get(slot))!)).toEqual(tries[told.indexOf(true)]!.bytes)
    }
  })

  test('what was acknowledged stays, once, though the leader is killed', async () => {
    const cluster = await start({ servers: 3 })
    const logs = [open(cluster.url), open(cluster.url)]
    await logs[0]!.slots(0)
    let isOver = false
    const writing = Promise.all(logs.map((log) => write(log, () => isOver)))
    for (let round = 0; round < 2; round++) {
      const before = (await logs[0]!.slots(0)).length
      await expect.poll(async () => (await logs[0]!.slots(0)).length).toBeGreaterThan(before + 50)
      const leader = await cluster.leaderOf('rowcast-0000')
      await leader.kill()
      const after = (await logs[1]!.slots(0)).length
      await expect.poll(async () => (await logs[1]!.slots(0)).length).toBeGreaterThan(after + 50)
      await leader.start()
    }
    isOver = true
    const written = (await writing).flat()
    const records = await readAll(logs[0]!)
    for (const [slot, record] of written) expect(records[slot - 1]).toBe(record)
    expect(new Set(written.map(([slot]) => slot)).size).toBe(written.length)
    expect(new Set(records).size).toBe(records.length)
    expect(records).toHaveLength(written.length)
  })

  // A server of 2.9.10 that wakes up may hold other records than the others from there on, and be the leader later.
  test('what was acknowledged is read again, or said to be lost, though the leader is frozen', async () => {
    const cluster = await start({ servers: 3 })
    const [owner, follower] = ['owner', 'follower'].map(
      (id) => new Shard({ slots: open(cluster.url, { patienceMs: 5_000 }), node: { id } }),
    ) as [Shard, Shard]
    const log = await new ShardedLogStorage([owner]).open('plan', { create: true })
    let isOver = false
    let last = 0
    const told: unknown[] = []
    const tell = (error: unknown): void => {
      // Servers that don't answer yet will.
      if (!(error instanceof NatsError)) told.push(error)
    }
    const writing = (async () => {
      for (const goesOn = () => !isOver; goesOn(); last++) await log.append([`${last + 1}`], last)
    })().catch(tell)
    const goOn = async (): Promise<void> => {
      const from = last
      const isFurther = async (): Promise<boolean> => {
        await follower.look().catch(tell)
        return told.length > 0 || last > from + 50
      }
      await expect.poll(isFurther).toBe(true)
    }
    for (let round = 0; round < 2 && told.length === 0; round++) {
      await goOn()
      const leader = await cluster.leaderOf('rowcast-0000')
      leader.freeze()
      await goOn()
      leader.wake()
    }
    isOver = true
    if (told.length > 0) await owner.close()
    await writing
    const payloads = async (): Promise<readonly string[]> => {
      await follower.look().catch(tell)
      return follower.databases.get('plan')?.tail ?? []
    }
    await expect.poll(async () => (await payloads()).length >= last || told.length > 0).toBe(true)
    for (const error of told) expect(['log', 'log-uncertain']).toContain((error as RowcastError).code)
    if (told.length === 0)
      expect((await payloads()).slice(0, last)).toEqual(Array.from({ length: last }, (_, n) => `${n + 1}`))
  })

  test('what was trimmed takes nothing with it when all servers are killed and started again', async () => {
    const cluster = await start({ servers: 3 })
    const log = open(cluster.url)
    const [count, first] = [1_050, 980]
    let trimmed = Promise.resolve()
    for (let slot = 1; slot <= count; slot++) {
      expect(await log.put(slot, randomBytes(8))).toBe(true)
      if (slot === first + 20) trimmed = log.trim(first, () => false)
    }
    await trimmed
    await Promise.all(cluster.servers.map((server) => server.kill()))
    await Promise.all(cluster.servers.map((server) => server.start()))
    expect(await log.slots(0)).toEqual(Array.from({ length: count - first + 1 }, (_, n) => first + n))
    await log.trim(first, () => false)
    expect(await log.put(count + 1, randomBytes(8))).toBe(true)
  })

  test('a put waits while there is no majority, and is told the truth once there is', async () => {
    const cluster = await start({ servers: 3 })
    const log = open(cluster.url)
    expect(await log.put(1, randomBytes(4))).toBe(true)
    const [first, second] = cluster.servers
    await Promise.all([first!.kill(), second!.kill()])
    const bytes = randomBytes(8)
    const put = log.put(2, bytes)
    const given = new AbortController()
    const other = log.put(2, randomBytes(8), { signal: given.signal })
    given.abort(new Error('enough'))
    await expect(other).rejects.toThrow('enough')
    await Promise.all([first!.start(), second!.start()])
    const there = await put
    expect(Buffer.compare((await log.get(2))!, bytes) === 0).toBe(there)
  })
})

/** One server, and two logs on it: one of them over a proxy that loses what it is told to. */
async function startBehindProxy(): Promise<{ proxy: ThrottledProxy; near: JetStreamSlotLog; far: JetStreamSlotLog }> {
  const cluster = await start({})
  const proxy = await ThrottledProxy.open(cluster.servers[0]!.port)
  onTestFinished(() => proxy.close())
  const near = open(cluster.url, { relaxed: true })
  return { proxy, near, far: open(proxy.url.replace('http', 'nats'), { relaxed: true }) }
}

describe('one server', () => {
  test('the truth is found out where an answer is lost', async () => {
    const { proxy, near, far } = await startBehindProxy()
    expect(await far.put(1, randomBytes(8))).toBe(true)
    const lose = async (put: Promise<boolean>, slot: number): Promise<boolean> => {
      await expect.poll(() => near.get(slot)).toBeDefined()
      proxy.loses = undefined
      proxy.drop()
      return put
    }
    proxy.loses = 'down'
    expect(await lose(far.put(2, randomBytes(8)), 2)).toBe(true)
    proxy.loses = 'down'
    expect(await near.put(3, randomBytes(8))).toBe(true)
    expect(await lose(far.put(3, randomBytes(8)), 3)).toBe(false)
    expect(await near.slots(0)).toEqual([1, 2, 3])
  })

  test('an append that may have been in a slot that was deleted is not taken for one that was', async () => {
    const { proxy, near, far } = await startBehindProxy()
    await far.slots(0)
    proxy.loses = 'down'
    const put = Promise.allSettled([far.put(1, randomBytes(8))])
    await expect.poll(() => near.get(1)).toBeDefined()
    expect(await near.put(2, randomBytes(8))).toBe(true)
    await near.trim(2, () => false)
    proxy.loses = undefined
    proxy.drop()
    const message = expect.stringContaining('nobody knows') as string
    expect(await put).toMatchObject([{ status: 'rejected', reason: { message } }])
  })

  test('a stream that has lost what was read of it is not gone on with', async () => {
    const cluster = await start({})
    const log = open(cluster.url, { relaxed: true, patienceMs: 50 })
    for (let slot = 1; slot <= 3; slot++) await log.put(slot, randomBytes(4))
    const connection = await cluster.connect()
    onTestFinished(() => connection.close())
    const { jetstreamManager } = await import('@nats-io/jetstream')
    const manager = await jetstreamManager(connection)
    const { config } = await manager.streams.info('rowcast-0000')
    await manager.streams.delete('rowcast-0000')
    await manager.streams.add(config)
    const lost = /ends at 0, though 3 was acknowledged/
    await expect(log.put(4, randomBytes(4))).rejects.toThrow(lost)
    await expect(log.slots(3)).rejects.toThrow(lost)
    await expect(
      log.claim({ next: 4, claim: randomBytes(4), filler: () => randomBytes(4), attempt: 0 }),
    ).rejects.toThrow(lost)
  })

  test('where no server is, reading says so after a while, and writing waits', async () => {
    const cluster = await start({})
    await cluster.servers[0]!.kill()
    const log = open(cluster.url, { relaxed: true, patienceMs: 50 })
    const failure: unknown = await log.get(1).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(NatsError)
    expect((failure as Error).message).toContain('there is no connection to any of the servers')
    const put = log.put(1, randomBytes(4))
    await cluster.servers[0]!.start()
    expect(await put).toBe(true)
  })
})

import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { S3ObjectStore } from '../../../src/server/bucket/index.ts'
import { BucketSlotLog, Shard } from '../../../src/server/cluster/index.ts'
import { Contention } from '../../../src/server/cluster/contention.ts'
import { ShardPlacement } from '../../../src/server/cluster/shard-placement.ts'
import { Bucket } from '../../support/s3-seat.ts'
import { S3Server } from '../../support/s3-server/index.ts'

test('the third claim within a short while waits, the next ones longer, up to 20 s', () => {
  const contention = new Contention()
  let now = 1_000
  const waits: number[] = []
  for (let claim = 0; claim < 7; claim++) {
    const from = now
    while (!contention.mayClaim(now)) now += 1_000
    waits.push(now - from)
    contention.claimed(now)
  }
  expect(waits).toEqual([0, 0, 5_000, 10_000, 20_000, 20_000, 20_000])
})

test('claims that lie far from one another wait for nothing', () => {
  const contention = new Contention()
  for (let now = 0; now < 1_000_000; now += 100_000) {
    expect(contention.mayClaim(now)).toBe(true)
    contention.claimed(now)
  }
})

/** A server that reaches the log, and takes every other one for dead. */
function lonely(server: S3Server, url: string): { placement: ShardPlacement; reported: string[]; shard: Shard } {
  const self = { id: randomUUID(), url }
  const store = new S3ObjectStore({ url: `s3://${Bucket}/c`, endpoint: server.url, credentials: server.credentials })
  const shard = new Shard({ slots: new BucketSlotLog(store, 'slots/'), node: self, yields: true })
  const reported: string[] = []
  const placement = new ShardPlacement({
    shards: [shard],
    numberOf: () => 0,
    isInUse: () => true,
    nodes: {
      self,
      join: () => Promise.resolve(),
      leave: () => Promise.resolve(),
      chosen: () => Promise.resolve(self),
      isAlive: ({ id }) => Promise.resolve(id === self.id),
      doubt: () => undefined,
    },
    lost: () => undefined,
    report: (error) => reported.push((error as Error).message),
  })
  onTestFinished(async () => {
    placement.close()
    await shard.close()
  })
  return { placement, reported, shard }
}

test.each([
  ['take each other for dead', ['http://a', 'http://b'], /http:\/\/[ab] take each other for dead/],
  ['advertise one address', ['http://a', 'http://a'], /another server advertises http:\/\/a as well/],
])('two servers that %s do not take a shard from each other for ever, and say so', async (_what, urls, expected) => {
  const server = await S3Server.open({ buckets: [Bucket] })
  onTestFinished(() => server.close())
  const both = urls.map((url) => lonely(server, url))
  let moves = 0
  for (let round = 0; round < 40; round++) {
    const { placement, shard } = both[round % 2]!
    const before = shard.claim?.slot
    const other = await placement.elsewhere('plan', { isStale: true })
    if (other) expect(urls).toContain(other.url)
    else if (before !== shard.claim?.slot) moves++
  }
  expect(moves).toBeGreaterThan(1)
  expect(moves).toBeLessThan(12)
  const reported = both.flatMap((one) => one.reported)
  expect(reported.length).toBeGreaterThan(0)
  for (const message of reported) expect(message).toMatch(expected)
})

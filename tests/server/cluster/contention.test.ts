import { expect, onTestFinished, test } from 'vitest'
import { Contention } from '../../../src/server/cluster/contention.ts'
import { Bucket } from '../../support/s3-seat.ts'
import { S3Server } from '../../support/s3-server/index.ts'
import { place } from './placement-seat.ts'

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

test.each([
  ['take each other for dead', ['http://a', 'http://b'], /http:\/\/[ab] take each other for dead/],
  ['advertise one address', ['http://a', 'http://a'], /another server advertises http:\/\/a as well/],
])('two servers that %s do not take a shard from each other for ever, and say so', async (_what, urls, expected) => {
  const server = await S3Server.open({ buckets: [Bucket] })
  onTestFinished(() => server.close())
  const both = urls.map((url) => place(server, url, () => false))
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

import type { ServerCore } from 'rowcast/server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openServer } from '../../support/sync-world.ts'
import { put, RawClient } from '../session/raw-client.ts'

let core: ServerCore

beforeEach(async () => {
  core = await openServer()
})

afterEach(async () => {
  await core.close()
})

const rows = (from: number, count: number): ReturnType<typeof put>[] =>
  Array.from({ length: count }, (_, n) => put(from + n, { slug: `s${from + n}` }))

test('who has many changes waiting to be decided is not read before they are', async () => {
  const client = await RawClient.enter(core)
  client.transact(rows(0, 3_000))
  client.transact(rows(3_000, 3_000))
  await expect.poll(() => client.paused).toBe(1)
  await client.verdict(client.transact(rows(6_000, 1)))
  expect(client.paused).toBe(0)
})

test('who sends something long is not read before that is read', async () => {
  const client = await RawClient.enter(core)
  const id = client.transact([put(1, { slug: 'x'.repeat(100_000) })])
  expect(client.paused).toBe(1)
  await client.verdict(id)
  expect(client.paused).toBe(0)
})

test('who sends a little at a time is read as it comes', async () => {
  const client = await RawClient.enter(core)
  for (let n = 0; n < 20; n++) {
    const id = client.transact(rows(n, 1))
    expect(client.paused).toBe(0)
    await client.verdict(id)
  }
})

test('a connection that ends while it is not read is let go of', async () => {
  const client = await RawClient.enter(core)
  client.transact(rows(0, 6_000))
  await expect.poll(() => client.paused).toBeGreaterThan(0)
  client.leave()
  await expect.poll(() => client.paused).toBe(0)
})

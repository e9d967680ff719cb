import type { ServerCore } from 'rowcast/server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openServer } from '../../support/sync-world.ts'
import { put, RawClient } from '../session/raw-client.ts'
import { handled } from './support.ts'

const ROWS = 200
const LENGTH = 5_000
const LIMIT = 3_000_000
const SUBSCRIPTIONS = 32
/** As much as makes the server wait with what is long, and is less than it takes for too slow. */
const STUCK = 1_500_000

let core: ServerCore
let reported: unknown[]

beforeEach(async () => {
  reported = []
  core = await openServer({
    limits: { buffered: LIMIT, subscriptions: SUBSCRIPTIONS },
    onError: (error) => reported.push(error),
  })
  const writer = await RawClient.enter(core)
  await writer.commit(Array.from({ length: ROWS }, (_, n) => put(n, { slug: `${n}${'x'.repeat(LENGTH)}` })))
  writer.leave()
})

afterEach(async () => {
  await core.close()
})

/** How many rounds of subscribing and taking it back were handled before the connection ended. */
async function rounds(client: RawClient, most: number): Promise<number> {
  for (let n = 0; n < most; n++) {
    if (client.ended) return n
    client.post({ type: 'subscribe', subscription: { id: `s${n}`, sets: [{ table: 'note' }] } })
    client.post({ type: 'unsubscribe', id: `s${n}` })
    await handled(core)
    await handled(core)
  }
  return most
}

test('who asks for everything over and over and reads nothing is ended as too slow before much is waiting', async () => {
  const client = await RawClient.enter(core, { subscriptions: [] })
  client.buffered = STUCK
  const before = client.texts.join('').length
  const done = await rounds(client, 300)
  expect(await client.closing()).toMatchObject({ code: 'too-slow', retryAfterMs: 500 })
  // Rows are made as there is room for them: what waits is what was asked for, twice as many as there may be subscriptions.
  expect(done).toBeLessThanOrEqual(SUBSCRIPTIONS + 1)
  expect(client.texts.join('').length - before).toBeLessThan(1_000)
  expect(reported).toEqual([])
})

test('who reads may ask over and over', async () => {
  const client = await RawClient.enter(core, { subscriptions: [] })
  expect(await rounds(client, 20)).toBe(20)
  await client.find('unsubscribed', ({ id }) => id === 's19')
  expect(client.ended).toBeUndefined()
  expect(client.messages.filter(({ type }) => type === 'unsubscribed')).toHaveLength(20)
})

test('one long answer may be longer than what may wait', async () => {
  await core.close()
  core = await openServer({ limits: { buffered: 100_000 } })
  const writer = await RawClient.enter(core)
  for (let n = 0; n < 4; n++) await writer.commit([put(n, { slug: `${n}${'x'.repeat(90_000)}` })])
  const client = await RawClient.enter(core)
  await client.settled()
  expect(client.texts.join('').length).toBeGreaterThan(360_000)
  expect(client.ended).toBeUndefined()
})

import type { ServerCore } from 'rowcast/server'
import { formatMessage, parseServerMessage } from 'rowcast/transport'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { openServer } from '../../support/sync-world.ts'
import { putNote, startServer } from '../http/support.ts'
import { helloMessage, put, RawClient } from '../session/raw-client.ts'
import { expectLive, handled, makeScene, nested } from './support.ts'

let core: ServerCore
let reported: unknown[]

beforeEach(async () => {
  reported = []
  core = await openServer({ onError: (error) => reported.push(error) })
})

afterEach(async () => {
  await core.close()
})

/** The states that somebody has been told of. */
function statesOf(client: RawClient): unknown[] {
  return client.messages.flatMap((message) =>
    message.type === 'presence' ? message.others.map(({ state }) => state) : [],
  )
}

test.each([
  ['33 levels deep', () => nested(33)],
  ['255 levels deep', () => nested(254)],
  ['of more than 64 KB', () => JSON.stringify('x'.repeat(64 * 1024))],
])('a presence %s ends its own connection, and nobody is told of it', async (_what, state) => {
  const good = await RawClient.enter(core)
  const bad = await RawClient.enter(core)
  bad.raw(`{"n":${bad.posted},"type":"presence","state":${state()}}`)
  expect(await bad.closing()).toMatchObject({ code: 'too-large' })
  // It has gone, which is told with whatever was said before.
  await good.find('presence', ({ others }) => others.some((other) => other.state === null))
  expect(statesOf(good).every((told) => told === null || JSON.stringify(told) === '{}')).toBe(true)
  await expectLive(core, [good, await RawClient.enter(core)], put(1))
  expect(reported).toEqual([])
})

test.each([
  ['32 levels deep', () => nested(32)],
  ['of 64 KB', () => JSON.stringify('x'.repeat(64 * 1024 - 2))],
])('a presence %s is told to those who are here and to those who come', async (_what, state) => {
  const good = await RawClient.enter(core)
  const member = await RawClient.enter(core)
  member.raw(`{"n":${member.posted},"type":"presence","state":${state()}}`)
  const expected: unknown = JSON.parse(state())
  const isTold = (others: readonly { readonly state: unknown }[]): boolean =>
    others.some((other) => JSON.stringify(other.state) === JSON.stringify(expected))
  await good.find('presence', ({ others }) => isTold(others))
  await (await RawClient.enter(core)).find('presence', ({ others }) => isTold(others))
  expect(reported).toEqual([])
})

test('a user whose name has 2,000 characters is told to others shortened', async () => {
  await core.close()
  core = await openServer({
    authenticate: ({ token }) => ({ id: token ?? 'nobody', name: (token ?? '').repeat(2_000) }),
    onError: (error) => reported.push(error),
  })
  const good = await RawClient.enter(core, { token: 'a' })
  const long = await RawClient.enter(core, { token: 'b' })
  await long.commit([put(1)])
  await good.find('presence', ({ others }) => others.some(({ name }) => name === 'b'.repeat(1_000)))
  const told = await good.find('commits')
  expect(told.commits[0]).toMatchObject({ by: 'b', name: 'b'.repeat(1_000) })
  await expectLive(core, [good, long], put(2))
  expect(reported).toEqual([])
})

// The author of a call over HTTP is not shortened (`authorOf`): no client takes the commits that name it.
test('a user whose name has 2,000 characters harms nobody over HTTP either', async () => {
  const started = startServer({ authenticate: () => ({ id: 'u', name: 'x'.repeat(2_000) }), authorize: () => true })
  await makeScene(started)
  const texts: string[] = []
  const handler = started.server.accept(
    { send: (text) => void texts.push(text), buffered: 0, close: () => undefined },
    { url: '/', headers: new Map() },
  )
  onTestFinished(() => handler.closed('left'))
  handler.receive(formatMessage({ n: 0, ...helloMessage }))
  const types = (): string[] => texts.map((text) => parseServerMessage(text).type)
  await expect.poll(types).toContain('live')
  expect((await started.ask('POST /v1/databases/scene/transactions', putNote('n'))).status).toBe(200)
  await expect.poll(types).toContain('commits')
  expect(types()).toEqual(['welcome', 'rows', 'live', 'commits'])
})

// What is told of those who are here counts as more that is asked for while the rows go out.
test('who comes where many say much of themselves is let in, also if its rows take a while', async () => {
  await core.close()
  core = await openServer({ limits: { buffered: 1_200_000 }, onError: (error) => reported.push(error) })
  for (let n = 0; n < 60; n++)
    (await RawClient.enter(core)).post({ type: 'presence', state: { n, text: 'x'.repeat(50_000) } })
  const late = new RawClient(core)
  late.buffered = 1_100_000
  late.hello()
  await handled(core)
  await handled(core)
  late.buffered = 0
  expect(await late.next('rows')).toMatchObject({ rows: [] })
})

test('120 who are here are told to who comes in messages of at most 50', async () => {
  const members: RawClient[] = []
  for (let n = 0; n < 120; n++) {
    const member = await RawClient.enter(core)
    member.post({ type: 'presence', state: { n, text: 'x'.repeat(10_000) } })
    members.push(member)
  }
  for (const member of members) await member.settled()
  const late = await RawClient.enter(core)
  const told = (): (readonly { state: unknown }[])[] =>
    late.messages.flatMap((message) => (message.type === 'presence' ? [message.others] : []))
  const states = (): number[] =>
    told()
      .flat()
      .map(({ state }) => (state as { n: number }).n)
      .toSorted((one, other) => one - other)
  await expect.poll(states, { timeout: 20_000 }).toEqual(members.map((_member, n) => n))
  // What there is no room for just then is told later, so how many the others are is up to the machine.
  expect(told()[0]).toHaveLength(50)
  expect(Math.max(...told().map(({ length }) => length))).toBe(50)
  expect(reported).toEqual([])
}, 60_000)

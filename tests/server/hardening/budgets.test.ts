import type { ServerCore, ServerOptions, User } from 'rowcast/server'
import { acceptMux, formatMessage, parseServerMessage, type ServerMessage } from 'rowcast/transport'
import { afterEach, describe, expect, test } from 'vitest'
import { openServer } from '../../support/sync-world.ts'
import { putNote, startServer } from '../http/support.ts'
import { helloMessage, put, RawClient } from '../session/raw-client.ts'
import { handled } from './support.ts'

const users = {
  authenticate: ({ token }: { readonly token: string | undefined }): User | undefined =>
    token === undefined ? undefined : { id: token },
}
const mallory = { token: 'mallory' }
let core: ServerCore | undefined

afterEach(async () => {
  await core?.close()
  core = undefined
})

async function open(limits: NonNullable<ServerOptions['limits']>): Promise<ServerCore> {
  core = await openServer({ ...users, limits })
  return core
}

describe('one user, over all connections,', () => {
  test('has so many of them, and another is let in', async () => {
    const server = await open({ connections: 2 })
    const first = await RawClient.enter(server, mallory)
    await RawClient.enter(server, mallory)
    const third = new RawClient(server)
    third.hello(mallory)
    expect(await third.closing()).toMatchObject({ code: 'flood', retryAfterMs: 500 })
    await RawClient.enter(server, { token: 'ann' })
    first.leave()
    await RawClient.enter(server, mallory)
  })

  test('has so many on one shared connection: each channel is one', async () => {
    const server = await open({ connections: 3 })
    const said: ServerMessage[] = []
    const handler = acceptMux(server.accept)(
      {
        send: (frame) => {
          const json = frame.slice(frame.indexOf(' ') + 1)
          if (frame.startsWith('m')) said.push(parseServerMessage(json))
        },
        buffered: 0,
        close: () => undefined,
      },
      { url: '/', headers: new Map() },
    )
    for (let n = 1; n <= 5; n++) {
      handler.receive(`o${n}`)
      handler.receive(`m${n} ${formatMessage({ ...helloMessage, ...mallory, n: 0 })}`)
    }
    await expect.poll(() => said.filter(({ type }) => type === 'welcome').length).toBe(3)
    await expect.poll(() => said.filter(({ type }) => type === 'closing').length).toBe(2)
    handler.closed('left')
    expect(server.budgets.size).toBe(0)
  })

  test('has so many subscriptions', async () => {
    const server = await open({ userSubscriptions: 3 })
    const one = await RawClient.enter(server, mallory)
    const two = await RawClient.enter(server, mallory)
    for (const client of [one, two])
      client.post({ type: 'subscribe', subscription: { id: 'more', sets: [{ table: 'note' }] } })
    expect(await two.closing()).toMatchObject({ code: 'flood' })
    await one.settled()
    one.post({ type: 'unsubscribe', id: 'more' })
    one.post({ type: 'subscribe', subscription: { id: 'again', sets: [{ table: 'note' }] } })
    await one.settled()
    expect(one.ended).toBeUndefined()
  })

  test('has so many transactions and bytes that wait', async () => {
    for (const limits of [{ userTransactions: 5 }, { userWaitingBytes: 1_000 }]) {
      const server = await open(limits)
      const clients = [await RawClient.enter(server, mallory), await RawClient.enter(server, mallory)]
      const ann = await RawClient.enter(server, { token: 'ann' })
      for (const client of clients) for (let n = 0; n < 4; n++) client.transact([put(n, { slug: 'x'.repeat(200) })])
      ann.transact([put(100)])
      expect(await clients[1]!.closing()).toMatchObject({ code: 'flood' })
      await ann.settled()
      expect(ann.ended).toBeUndefined()
      await server.close()
    }
  })

  test('leaves so much unread: who has a good part of it is told to come back', async () => {
    const server = await open({ buffered: 10_000, userBuffered: 15_000 })
    const ann = await RawClient.enter(server, { token: 'ann' })
    const clients: RawClient[] = []
    for (const buffered of [8_000, 8_000, 200]) {
      const client = await RawClient.enter(server, mallory)
      client.buffered = buffered
      clients.push(client)
    }
    await ann.commit([put(1)])
    await handled(server)
    expect(clients.map(({ ended }) => ended?.reason)).toEqual(['too-slow', 'too-slow', undefined])
    expect(ann.ended).toBeUndefined()
  })

  test('says so much in presence: what is beyond is not told, and what others say is', async () => {
    const server = await open({ userPresenceBytes: 100_000 })
    const ann = await RawClient.enter(server, { token: 'ann' })
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.enter(server, mallory)))
    for (const [n, client] of clients.entries()) client.post({ type: 'presence', state: `${n}${'x'.repeat(40_000)}` })
    const bob = await RawClient.enter(server, { token: 'bob' })
    bob.post({ type: 'presence', state: 'bob' })
    await ann.find('presence', ({ others }) => others.some(({ state }) => state === 'bob'))
    expect(
      statesOf(ann)
        .filter((state) => state.length > 1_000)
        .map((state) => state[0]),
    ).toEqual(['0', '1'])
    clients[0]!.post({ type: 'presence', state: null })
    clients[2]!.post({ type: 'presence', state: `2${'y'.repeat(40_000)}` })
    await ann.find('presence', ({ others }) => others.some(({ state }) => String(state).startsWith('2y')))
  })
})

test('all in one database say so much in presence together', async () => {
  const server = await open({ databasePresenceBytes: 5_000 })
  const clients = await Promise.all(['a', 'b', 'c'].map((token) => RawClient.enter(server, { token })))
  for (const [n, client] of clients.entries()) {
    client.post({ type: 'presence', state: `${n}${'x'.repeat(2_000)}` })
    await client.settled()
  }
  const late = await RawClient.enter(server, { token: 'd' })
  await late.settled()
  expect(statesOf(late).filter((state) => state.length > 1_000)).toHaveLength(2)
})

describe('over HTTP', () => {
  const path = 'POST /v1/databases/a/transactions'
  const as = (name: string) => ({ authorization: `Bearer ${name}` })
  const options = { ...users, authorize: () => true }

  /** A body that begins and does not end. */
  function unfinished(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array([0x7b])) })
  }

  function begin(server: ReturnType<typeof startServer>['server'], name: string): Promise<Response> {
    const url = 'http://localhost/v1/databases/a/transactions'
    return server.fetch(
      new Request(url, { method: 'POST', body: unfinished(), headers: as(name), duplex: 'half' } as never),
    )
  }

  test('unfinished bodies of one user are put off, and are over when nothing comes; others are answered', async () => {
    const { server, ask } = startServer({ ...options, limits: { transactions: 3, bodyPauseMs: 200 } })
    await ask('PUT /v1/databases/a', undefined, as('root'))
    const begun = [1, 2, 3].map(() => begin(server, 'mallory'))
    await expect.poll(async () => (await ask(path, putNote('m'), as('mallory'))).status).toBe(429)
    expect((await ask(path, putNote('n'), as('ann'))).status).toBe(200)
    expect((await Promise.all(begun)).map(({ status }) => status)).toEqual([408, 408, 408])
    expect((await ask(path, putNote('m'), as('mallory'))).status).toBe(200)
  })

  test('those of whom nothing is known count together, by their address where there is one', async () => {
    const { server, send } = startServer({ limits: { transactions: 1, bodyPauseMs: 200 } })
    await send('PUT /v1/databases/a')
    const url = 'http://localhost/v1/databases/a/transactions'
    const first = server.fetch(new Request(url, { method: 'POST', body: unfinished(), duplex: 'half' } as never), {
      address: '10.0.0.1',
    })
    const post = (address: string): Promise<Response> =>
      server.fetch(new Request(url, { method: 'POST', body: JSON.stringify(putNote(address)) }), { address })
    expect((await post('10.0.0.1')).status).toBe(429)
    expect((await post('10.0.0.2')).status).toBe(200)
    expect((await first).status).toBe(408)
  })
})

function statesOf(client: RawClient): string[] {
  return client.messages.flatMap((message) =>
    message.type === 'presence' ? message.others.map(({ state }) => String(state)) : [],
  )
}

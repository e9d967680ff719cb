import { connect } from 'node:net'
import { once } from 'node:events'
import type { ServerCore, User } from 'rowcast/server'
import { acceptMuxToo, formatMessage, type ServerConnection } from 'rowcast/transport'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openServer } from '../../support/sync-world.ts'
import { startServer } from '../http/support.ts'
import { RawClient as SocketClient } from '../serve/raw-client.ts'
import { helloMessage, RawClient } from '../session/raw-client.ts'
import { makeScene } from './support.ts'

const users = {
  authenticate: ({ token }: { readonly token: string | undefined }): User | undefined =>
    token === undefined ? undefined : { id: token },
}
let core: ServerCore | undefined

afterEach(async () => {
  vi.useRealTimers()
  await core?.close()
  core = undefined
})

/** A connection as a carrier has it. */
function connection(ended: string[] = []): ServerConnection {
  return { send: () => undefined, buffered: 0, close: (_code, reason) => void ended.push(reason) }
}

describe('before it is known who it is', () => {
  test.each([
    ['hello', () => formatMessage({ ...helloMessage, n: 0, token: 'x', subscriptions: longSubscriptions(70_000) })],
    ['nesting', () => `{"type":"hello","n":0,"x":${'['.repeat(70_000)}`],
    ['text', () => 'x'.repeat(70_000)],
    ['text of three bytes a character', () => '漢'.repeat(23_000)],
  ])('a connection that sends 69 KB or more of %s is ended as too large', async (_what, text) => {
    core = await openServer(users)
    const client = new RawClient(core)
    client.raw(text())
    expect(await client.closing()).toMatchObject({ code: 'too-large' })
  })

  test('all messages count together', async () => {
    let accept: (user: User) => void = () => undefined
    core = await openServer({ authenticate: () => new Promise<User>((resolve) => (accept = resolve)) })
    const client = new RawClient(core)
    client.hello({ token: 'ann' })
    client.post({ type: 'presence', state: 'x'.repeat(40_000) })
    client.post({ type: 'presence', state: 'x'.repeat(40_000) })
    expect(await client.closing()).toMatchObject({ code: 'too-large' })
    accept({ id: 'ann' })
  })

  test('hello may bring what fits, and more may come once it is accepted', async () => {
    core = await openServer(users)
    const client = await RawClient.enter(core, { token: 'ann', subscriptions: longSubscriptions(60_000) })
    client.post({ type: 'transact', transactions: [], n: client.posted } as never)
    client.post({ type: 'unsubscribe', id: 'x'.repeat(128) })
    await client.settled()
    expect(client.ended).toBeUndefined()
  })

  test('a WebSocket that announces 8 MB is ended before they have come, and others are served', async () => {
    const started = startServer(users)
    await started.ask('PUT /v1/databases/a', undefined, { authorization: 'Bearer root' })
    const { port, url } = await started.server.listen({ port: 0 })
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => undefined)
    const lines = ['GET /v1/databases/a/sync HTTP/1.1', 'Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket']
    const key = ['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${'A'.repeat(22)}==`]
    socket.write(`${[...lines, ...key].join('\r\n')}\r\n\r\n`)
    await once(socket, 'data')
    const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x7a, 0x12, 0, 0, 0, 0, 0])
    socket.write(head)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const told: Buffer[] = []
    socket.on('data', (data: Buffer) => told.push(data))
    socket.write(Buffer.alloc(300_000, '['))
    await closed
    expect(Buffer.concat(told).toString()).toContain('"code":"too-large"')
    const good = new SocketClient(`${url}/v1/databases/a/sync`)
    await good.opened
    good.socket.close()
  })

  test('a POST of server-sent events is read no further than its session takes', async () => {
    const { server } = startServer(users)
    const events = 'http://localhost/v1/databases/a/events'
    const stream = await server.fetch(new Request(events))
    const reader = stream.body!.getReader()
    const read = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value)
    const session = /data: (.+)\n/.exec(await read())![1]!
    const post = async (body: string): Promise<[number, number]> => {
      let pulled = 0
      const bytes = new TextEncoder().encode(body)
      const parts = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          if (pulled >= bytes.length) return controller.close()
          controller.enqueue(bytes.subarray(pulled, (pulled += 16_384)))
        },
      })
      const answer = await server.fetch(new Request(events, { method: 'POST', body: parts, duplex: 'half' } as never))
      return [answer.status, pulled]
    }
    const [unknown, readOfUnknown] = await post(`{"session":"guess","n":1,"messages":["${'x'.repeat(1_000_000)}"]}`)
    expect([unknown, readOfUnknown < 64_000]).toEqual([404, true])
    const [known, readOfKnown] = await post(`{"session":"${session}","n":1,"messages":["${'x'.repeat(1_000_000)}"]}`)
    expect([known, readOfKnown < 300_000]).toEqual([413, true])
    expect(await read()).toContain('"code":"too-large"')
  })
})

describe('connections that say no hello', () => {
  test('give way to newer ones where there are too many of one address, the oldest first', async () => {
    core = await openServer({ ...users, limits: { strangersPerAddress: 3 } })
    const ended: string[][] = []
    for (const address of ['a', 'a', 'b', 'a', 'a', 'a']) {
      const ends: string[] = []
      ended.push(ends)
      core.accept(connection(ends), { url: '/', headers: new Map(), address })
    }
    expect(ended).toEqual([['flood'], ['flood'], [], [], [], []])
  })

  test('give way where there are too many in all, and who has said hello stays', async () => {
    core = await openServer({ ...users, limits: { strangers: 2 } })
    const known = await RawClient.enter(core, { token: 'ann' })
    const ended: string[][] = []
    for (const address of ['a', 'b', 'c']) {
      const ends: string[] = []
      ended.push(ends)
      core.accept(connection(ends), { url: '/', headers: new Map(), address })
    }
    expect(ended).toEqual([['flood'], [], []])
    await known.settled()
    expect(known.ended).toBeUndefined()
  })

  test('a shared connection that carries nothing is ended after ten seconds', async () => {
    core = await openServer(users)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const ended: string[] = []
    const handler = acceptMuxToo(core.accept)(connection(ended), { url: '/', headers: new Map() })
    handler.receive('o1')
    vi.advanceTimersByTime(5_000)
    handler.receive('c1')
    vi.advanceTimersByTime(9_999)
    expect(ended).toEqual([])
    vi.advanceTimersByTime(1)
    expect(ended).toEqual(['it carries no connection'])
    expect(core.strangers.size).toBe(0)
  })
})

/** One subscription whose JSON has about so many bytes. */
function longSubscriptions(bytes: number) {
  const ids = Array.from({ length: Math.floor(bytes / 10) }, (_, n) => 1_000_000_000 + n - 1_000_000_000 * (n % 2))
  const where = { id: { in: ids.map((id) => 100_000_000 + (id % 100_000_000)) } }
  return [{ id: 'all', sets: [{ table: 'note', where }] }]
}

test('who comes and goes leaves nothing that is counted', async () => {
  const started = startServer(users)
  await makeScene(started)
  core = await openServer(users)
  for (let n = 0; n < 5; n++) {
    const client = await RawClient.enter(core, { token: `user ${n}` })
    client.post({ type: 'presence', state: { n } })
    client.post({ type: 'subscribe', subscription: { id: 's', sets: [{ table: 'note' }] } })
    client.transact([{ table: 'note', key: n, op: 'put', after: { id: n } }])
    await client.settled()
    client.leave()
  }
  await expect.poll(() => core!.budgets.size).toBe(0)
  expect(core.strangers.size).toBe(0)
})

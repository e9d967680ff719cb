import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startServer, type TestServer } from '../http/support.ts'
import { RawClient } from './raw-client.ts'

async function listen(
  options: Parameters<typeof startServer>[0] = {},
): Promise<TestServer & { url: string; sync: string }> {
  const started = startServer(options)
  const { url } = await started.server.listen({ port: 0 })
  await started.ask('PUT /v1/databases/a')
  return { ...started, url, sync: `${url}/v1/databases/a/sync` }
}

async function join(sync: string): Promise<RawClient> {
  const client = new RawClient(sync)
  await client.opened
  await client.hello('a')
  return client
}

describe('the sync protocol over WebSocket', () => {
  test('what one client sends the other is told, and its author too', async () => {
    const { sync, ask } = await listen()
    const [one, other] = [await join(sync), await join(sync)]
    expect(one.messages.map(({ type }) => type)).toEqual(['welcome', 'rows'])
    one.put('n')
    expect(await other.told('n')).toMatchObject({
      type: 'commits',
      sequence: 2,
      commits: [{ changes: [{ op: 'put', key: 'n' }] }],
    })
    expect(await one.told('put-n')).toMatchObject({ commits: [{ id: 'put-n' }] })
    expect((await ask('GET /v1/databases/a/history')).body['last']).toBe(2)
    const late = await join(sync)
    expect(late.messages[1]).toMatchObject({ rows: [['note', 'n', { id: 'n' }]] })
  })

  test('an import over HTTP reaches who is connected', async () => {
    const { sync, send, ask } = await listen()
    const client = await join(sync)
    const file = new Uint8Array(await (await send('GET /v1/databases/a/export')).arrayBuffer())
    client.put('n')
    await client.told('put-n')
    await ask('PUT /v1/databases/a/import', file)
    expect(await client.until(({ sequence }) => sequence === 3)).toMatchObject({
      commits: [{ changes: [{ op: 'delete', key: 'n' }] }],
    })
  })

  test('closing the server says so to who is connected, and ends the port', async () => {
    const { sync, server, url } = await listen()
    const client = await join(sync)
    await server.close()
    expect(await client.closed).toEqual({ code: 1001, reason: 'shutting-down' })
    expect(client.messages.at(-1)).toMatchObject({ type: 'closing', code: 'shutting-down' })
    await expect(fetch(url)).rejects.toThrow()
  })

  test('a client that answers no ping is ended, one that does stays', async () => {
    const { sync, server } = await listen({ pingMs: 50 })
    const dead = new RawClient(sync, { autoPong: false })
    await dead.opened
    const living = await join(sync)
    expect((await dead.closed).code).toBe(1006)
    living.put('n')
    await living.told('put-n')
    expect(server.databases.opened).toBe(1)
  })

  test.each([
    ['too long a message', (socket: WebSocket) => socket.send('x'.repeat(1001)), 4000],
    ['one that is longer than any', (socket: WebSocket) => socket.send('x'.repeat(10_000)), 1009],
    ['a binary message', (socket: WebSocket) => socket.send(new Uint8Array(8)), 1003],
    ['no JSON', (socket: WebSocket) => socket.send('{'), 4000],
    ['text that is no UTF-8', (socket: WebSocket) => socket.send(Buffer.from([0xff]), { binary: false }), 1007],
  ])('%s ends the connection with a code', async (_what, send, code) => {
    const { sync, errors } = await listen({ limits: { messageBytes: 1000 } })
    const client = new RawClient(sync)
    await client.opened
    send(client.socket)
    expect((await client.closed).code).toBe(code)
    expect(errors).toEqual([])
  })

  test.each([
    ['another path', '/v1/databases/a/other', {}, 404],
    ['no name', '/v1/databases/..%2fa/sync', {}, 400],
    ['a page of another origin', '/v1/databases/a/sync', { origin: 'https://evil.test' }, 403],
  ])('%s is refused before it is a WebSocket', async (_what, path, options, status) => {
    const { url } = await listen()
    const client = new RawClient(url + path, options)
    await expect(client.opened).rejects.toThrow(String(status))
  })

  test('a page of an origin that is named is taken', async () => {
    const { sync } = await listen({ cors: { origins: ['https://app.test'] } })
    const client = new RawClient(sync, { origin: 'https://app.test' })
    await client.opened
    expect(await client.hello('a')).toMatchObject({ type: 'rows' })
  })
})

describe('2,000 messages that are none, or are no more', () => {
  const valid = [
    {
      type: 'hello',
      n: 0,
      protocol: 3,
      schemaVersion: 1,
      database: 'a',
      subscriptions: [{ id: 'all', sets: [] }],
    },
    {
      type: 'transact',
      n: 1,
      transactions: [{ id: 't', changes: [{ table: 'note', key: 'k', op: 'update', after: { text: 't' } }] }],
    },
    { type: 'subscribe', n: 1, subscription: { id: 's', sets: [{ table: 'note', where: { id: 'n' } }] } },
    { type: 'unsubscribe', n: 1, id: 'all' },
    { type: 'presence', n: 1, state: { at: 1 } },
    { type: 'ping', n: 1 },
  ]
  const mutated = fc
    .record({
      of: fc.constantFrom(...valid),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      by: fc.string(),
      cut: fc.nat(8),
    })
    .map(({ of, at, by, cut }) => {
      const text = JSON.stringify(of)
      const place = Math.floor(at * text.length)
      return text.slice(0, place) + by + text.slice(place + cut)
    })
  const replaced = fc
    .tuple(fc.constantFrom(...valid), fc.nat(8), fc.jsonValue())
    .map(([of, at, value]) => JSON.stringify({ ...of, [Object.keys(of)[at % Object.keys(of).length]!]: value }))
  const message = fc.oneof(
    mutated,
    replaced,
    fc.json(),
    fc.string(),
    fc.constantFrom(...valid.map((one) => JSON.stringify(one))),
    fc.uint8Array({ maxLength: 64 }),
  )

  test('leave the server up, and another client notices nothing', async () => {
    const { sync, errors } = await listen()
    const bystander = await join(sync)
    let sent = 0
    const connection = fc.array(message, { minLength: 20, maxLength: 20, size: 'max' })
    await fc.assert(
      fc.asyncProperty(connection, fc.boolean(), async (messages, greets) => {
        const client = new RawClient(sync)
        await client.opened
        if (greets) await client.hello('a')
        for (const one of messages) client.socket.send(one)
        sent += messages.length
        client.socket.close()
        await client.closed
      }),
      { numRuns: 100 },
    )
    expect(sent).toBe(2000)
    bystander.put('still-here')
    await bystander.told('put-still-here')
    expect(bystander.socket.readyState).toBe(WebSocket.OPEN)
    expect(errors).toEqual([])
  })
})

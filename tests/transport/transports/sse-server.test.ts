import { createServer } from 'node:http'
import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { createSseHandler, sseTransport } from '../../../src/transport/transports/index.ts'
import { listen, Recorder, toNode } from './peer.ts'

const url = 'http://x.test/db/events?as=7'

function start(options?: Parameters<typeof createSseHandler>[1]) {
  const server = new Recorder()
  const handle = createSseHandler(server.accept, options)
  const post = async (body: unknown) =>
    handle(new Request(url, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }))
  const open = async () => {
    const response = await handle(new Request(url, { headers: { 'X-Name': 'A' } }))
    const reader = response.body!.getReader()
    const read = async () => new TextDecoder().decode((await reader.read()).value)
    const session = /^:\s+event: session\ndata: (.+)\n\n$/.exec(await read())![1]!
    return { response, reader, read, session, seen: server.seen.at(-1)! }
  }
  return { server, handle, post, open }
}

// Requests are handed over without a socket.
describe('createSseHandler', () => {
  test('opens a stream that no proxy keeps, and tells the server path, query and headers', async () => {
    const { open } = start()
    const { response, seen, reader } = await open()
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(response.headers.get('cache-control')).toMatch(/no-store/)
    expect([seen.request.url, seen.request.headers.get('x-name')]).toEqual(['/db/events?as=7', 'A'])
    await reader.cancel()
    expect(seen.closed).toHaveLength(1)
  })

  test('takes each batch once, in order, and ends a connection that has a gap', async () => {
    const { open, post } = start({ bodyPauseMs: 20 })
    const { session, seen, read } = await open()
    expect((await post({ session, n: 1, messages: ['a', 'b'] })).status).toBe(204)
    expect((await post({ session, n: 1, messages: ['a', 'b'] })).status).toBe(204)
    expect((await post({ session, n: 3, messages: ['d'] })).status).toBe(409)
    expect(seen.received).toEqual(['a', 'b'])
    expect(seen.closed).toEqual(['batch 3 came after batch 1'])
    expect(await read()).toMatch(/^event: close\n/)
    expect((await post({ session, n: 2, messages: ['c'] })).status).toBe(404)
  })

  test('takes batches in their order, however they come', async () => {
    const { open, post } = start()
    const { session, seen, reader } = await open()
    const late = [3, 2].map((n) => post({ session, n, messages: [`${n}`] }))
    await post({ session, n: 1, messages: ['1'] })
    expect((await Promise.all(late)).map(({ status }) => status)).toEqual([204, 204])
    expect(seen.received).toEqual(['1', '2', '3'])
    // What waits for its turn goes with the connection.
    const never = post({ session, n: 5, messages: ['5'] })
    await Promise.resolve()
    await reader.cancel()
    expect([404, 409]).toContain((await never).status)
    expect(seen.received.length).toBe(3)
  })

  test('takes a body that breaks off for none', async () => {
    const { open, handle } = start()
    const { session, seen, reader } = await open()
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(`{"session":"${session}","n":1,`)),
      pull: (controller) => controller.error(new Error('aborted')),
    })
    const request = new Request(url, { method: 'POST', body, duplex: 'half' } as RequestInit)
    expect((await handle(request)).status).toBe(408)
    expect(seen.closed).toEqual([])
    await reader.cancel()
  })

  test('refuses what is no batch, is too long, or names no session, and other connections notice nothing', async () => {
    const { open, post, handle } = start({ maxBodyBytes: 1000 })
    const { seen, session, reader } = await open()
    for (const body of ['', '{', 'null', '[]', {}, { session, n: '1', messages: [] }, { session, n: 1, messages: [1] }])
      expect((await post(body)).status).toBe(400)
    expect((await post({ session, n: 1, messages: ['x'.repeat(1000)] })).status).toBe(413)
    expect((await post({ session: 'guess', n: 1, messages: [] })).status).toBe(404)
    expect((await handle(new Request(url, { method: 'PUT' }))).status).toBe(405)
    expect((await post({ session, n: 1, messages: ['fine'] })).status).toBe(204)
    expect([seen.received, seen.closed]).toEqual([['fine'], []])
    await reader.cancel()
  })

  test('knows how much the network has not taken', async () => {
    const { open } = start()
    const { seen, read, reader } = await open()
    expect(seen.connection.buffered).toBe(0)
    seen.connection.send('x'.repeat(1000))
    seen.connection.send('y'.repeat(1000))
    expect(seen.connection.buffered).toBeGreaterThan(2000)
    await read()
    expect(seen.connection.buffered).toBeLessThan(1100)
    await read()
    expect(seen.connection.buffered).toBe(0)
    await reader.cancel()
    seen.connection.send('dropped')
    expect(seen.connection.buffered).toBe(0)
  })

  test('sends comments while nothing else is under way', async () => {
    const { open } = start({ heartbeatMs: 1 })
    const { read, reader } = await open()
    expect([await read(), await read()]).toEqual([': \n\n', ': \n\n'])
    await reader.cancel()
  })

  test('lets a client that is slow take what was said before a close', async () => {
    const { open } = start({ heartbeatMs: 40 })
    const { seen, read } = await open()
    for (let n = 0; n < 6; n++) seen.connection.send(`${n}`)
    seen.connection.close(1008, 'too slow')
    const said: string[] = []
    for (let n = 0; n < 7; n++) {
      said.push(await read())
      // Longer than a beat in all.
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(said.at(-1)).toMatch(/^event: close/)
  })

  test('gives up on a client that does not take the rest after a close', async () => {
    const { open } = start({ heartbeatMs: 1 })
    const { seen, reader } = await open()
    seen.connection.send('never read')
    seen.connection.close(1008, 'too slow')
    await expect(reader.closed).rejects.toThrow('too slow')
  })

  test('rejects with what the server throws as it takes a connection', async () => {
    const handle = createSseHandler(() => {
      throw new Error('no disk')
    })
    await expect(handle(new Request(url))).rejects.toThrow('no disk')
  })
})

describe('sseTransport', () => {
  test.each([
    ['a refusal', 403, 'text/plain', 'not you', /403 not you/],
    ['a page', 200, 'text/html', '<!doctype html>', /text\/html/],
    ['a stream that breaks off', 200, 'text/event-stream', 'event: session\ndata: s\n\ndata: hal', /broke off/],
  ])('closes with the reason where it gets %s', async (_what, status, type, body, reason) => {
    const { host, stop } = await listen(
      createServer((_request, response) => response.writeHead(status, { 'content-type': type }).end(body)),
    )
    const transport = sseTransport({ url: `http://${host}/` })
    const messages: string[] = []
    transport.messages$.subscribe((message) => messages.push(message))
    transport.open('db')
    const closed = await firstValueFrom(transport.status$.pipe(filter(({ state }) => state === 'closed')))
    expect(closed.reason).toMatch(reason)
    expect(messages).toEqual([])
    await stop()
  })

  test('has one POST under way at a time, gathers meanwhile, and closes when one fails', async () => {
    const server = new Recorder()
    const handle = createSseHandler(server.accept)
    const batches: string[][] = []
    let underWay = 0
    let most = 0
    const { host, stop } = await listen(
      createServer(
        toNode(async (request) => {
          if (request.method === 'GET') return handle(request)
          most = Math.max(most, (underWay += 1))
          const { messages } = (await request.clone().json()) as { messages: string[] }
          batches.push(messages)
          const response = batches.length === 3 ? new Response('out of order', { status: 500 }) : await handle(request)
          underWay -= 1
          return response
        }),
      ),
    )
    const transport = sseTransport({ url: `http://${host}` })
    transport.open('db')
    await firstValueFrom(transport.status$.pipe(filter(({ state }) => state === 'open')))
    for (const message of ['a', 'b', 'c']) transport.send(message)
    server.moved$.subscribe(() => {
      const { received } = server.seen[0]!
      if (received.length === 1) for (const message of ['d', 'e']) transport.send(message)
      if (received.length === 5) transport.send('f')
    })
    const { reason } = await firstValueFrom(transport.status$.pipe(filter(({ state }) => state === 'closed')))
    expect(batches).toEqual([['a', 'b', 'c'], ['d', 'e'], ['f']])
    expect(most).toBe(1)
    expect(reason).toMatch(/500 out of order/)
    await stop()
  })
})

import { createServer, request as ask } from 'node:http'
import { sseTransport, tabTransport, type Transport } from 'rowcast/transport'
import { filter, firstValueFrom } from 'rxjs'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { ManualTimers } from '../../support/manual-timers.ts'
import { listen } from '../transports/peer.ts'
import { openClient, openLink } from './support.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

/** A proxy that hands on what a server answers once that has ended; with `drops`, nothing at all. */
async function openBuffering(target: string, drops: (method: string) => boolean = () => false) {
  const asked: string[] = []
  const { host, stop } = await listen(
    createServer((incoming, outgoing) => {
      const { method = 'GET', url = '/', headers } = incoming
      asked.push(method)
      if (drops(method)) return
      const passed = ask(`${target}${url}`, { method, headers }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () =>
          outgoing.writeHead(response.statusCode ?? 502, response.headers).end(Buffer.concat(parts)),
        )
        response.on('error', () => outgoing.destroy())
      })
      passed.on('error', () => outgoing.destroy())
      outgoing.on('close', () => passed.destroy())
      incoming.pipe(passed)
    }),
  )
  onTestFinished(stop)
  return { url: `http://${host}`, asked }
}

const opened = (transport: Transport) =>
  firstValueFrom(transport.status$.pipe(filter(({ state }) => state !== 'connecting')))

/** Opens, lets time pass, and tells why it closed. */
async function reasonOf(url: string, asked: readonly string[], passes = 1): Promise<string | undefined> {
  const timers = new ManualTimers()
  const transport = sseTransport({ url, timers })
  onTestFinished(() => transport.close())
  transport.open('d')
  for (let n = 1; n <= passes; n++) {
    await expect.poll(() => asked.length).toBe(n)
    timers.next()
  }
  return (await opened(transport)).reason
}

test('a proxy that buffers server-sent events is said to do so', async () => {
  const { url } = await openLink()
  const proxy = await openBuffering(url)
  expect(await reasonOf(proxy.url, proxy.asked)).toMatch(
    /holds back server-sent events.*proxy_buffering off.*webSocketTransport/,
  )
})

test('so it is where a proxy hands on the headers and holds back what follows', async () => {
  const asked: string[] = []
  const { host, stop } = await listen(
    createServer((incoming, outgoing) => {
      asked.push(incoming.method!)
      if (incoming.method === 'POST') outgoing.writeHead(404).end()
      else outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    }),
  )
  onTestFinished(stop)
  expect(await reasonOf(`http://${host}`, asked)).toMatch(/holds back server-sent events/)
})

test('where nothing is answered at all, no proxy is blamed', async () => {
  const { url } = await openLink()
  const proxy = await openBuffering(url, () => true)
  expect(await reasonOf(proxy.url, proxy.asked, 2)).toMatch(/does not answer.*all the connections/)
})

test('a stream that begins while it is asked why stays open', async () => {
  const { url } = await openLink()
  const timers = new ManualTimers()
  let release!: () => void
  const released = new Promise<void>((resolve) => (release = resolve))
  const transport = sseTransport({
    url,
    timers,
    fetch: async (input, init) => {
      const response = await fetch(input, init)
      if (init?.method === 'POST') {
        release()
        await opened(transport)
      } else await released
      return response
    },
  })
  onTestFinished(() => transport.close())
  transport.open('d')
  await expect.poll(() => timers.pending).toBe(1)
  timers.next()
  expect(await opened(transport)).toEqual({ state: 'open' })
  expect(timers.pending).toBe(0)
})

test('a store says so, also through a tab that holds the connection', async () => {
  const { url } = await openLink()
  const proxy = await openBuffering(url)
  const through = tabTransport({ name: crypto.randomUUID(), transport: () => sseTransport({ url: proxy.url }) })
  const clients = [await openClient(proxy.url, 'sseTransport'), await openClient(proxy.url, through)]
  for (const { history } of clients)
    await expect
      .poll(() => history.findLast(({ reason }) => reason !== undefined)?.reason)
      .toMatch(/holds back server-sent events/)
})

/** A page of a server, with the Web Locks of its origin. */
async function openPage(nextHopProtocol: string): Promise<string> {
  const { url } = await openLink()
  const held = new Set<string>()
  const locks = {
    request: async (name: string, _options: unknown, run: (lock: unknown) => Promise<void> | undefined) => {
      if (held.has(name)) return run(null)
      held.add(name)
      await run({ name })
      held.delete(name)
    },
  }
  vi.stubGlobal('navigator', { locks })
  vi.stubGlobal('location', new URL(url))
  const entry = { name: `${url}/`, nextHopProtocol }
  vi.spyOn(performance, 'getEntriesByType').mockImplementation((type) =>
    type === 'navigation' ? [entry as never] : [],
  )
  return url
}

const openAll = async (url: string, count: number): Promise<Transport[]> => {
  const all = Array.from({ length: count }, () => sseTransport({ url }))
  for (const one of all) {
    onTestFinished(() => one.close())
    one.open('d')
  }
  for (const one of all) await opened(one)
  return all
}

test('of eight tabs that a browser would open too many connections for, three say why they are not connected', async () => {
  const all = await openAll(await openPage('http/1.1'), 8)
  const states = await Promise.all(all.map(opened))
  expect(states.map(({ state }) => state).toSorted()).toEqual([
    ...Array.from({ length: 3 }, () => 'closed'),
    ...Array.from({ length: 5 }, () => 'open'),
  ])
  const late = all[states.findIndex(({ state }) => state === 'closed')]!
  expect((await opened(late)).reason).toMatch(
    /5 tabs hold server-sent events.*HTTP\/2, webSocketTransport or tabTransport/,
  )
  // One that goes makes room for another.
  all[states.findIndex(({ state }) => state === 'open')]!.close()
  await expect
    .poll(async () => {
      late.open('d')
      return (await opened(late)).state
    })
    .toBe('open')
})

test('over HTTP/2 there is room for any number of tabs', async () => {
  const all = await openAll(await openPage('h2'), 8)
  for (const one of all) expect((await opened(one)).state).toBe('open')
})

test('outside a page nothing is counted', async () => {
  const { url } = await openLink()
  const all = await openAll(url, 8)
  for (const one of all) expect((await opened(one)).state).toBe('open')
})

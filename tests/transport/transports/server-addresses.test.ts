import { RowcastError } from 'rowcast'
import {
  sseTransport,
  webSocketTransport,
  type Transport,
  type TransportStatus,
  type UrlSource,
} from 'rowcast/transport'
import { describe, expect, test } from 'vitest'
import { ManualTimers } from '../../support/manual-timers.ts'
import { rest } from '../../support/stepped-world.ts'
import type { WebSocketLike } from '../../../src/transport/transports/index.ts'

type Listener = (event: { data: unknown; code: number; reason: string }) => void

/** The sockets that a transport opens, played by a test. */
class Sockets {
  readonly opened: string[] = []
  readonly timers = new ManualTimers(() => this.draw)
  /** What chance says. */
  draw = 0
  #listeners = new Map<string, Listener>()

  transport(url: UrlSource): { transport: Transport; statuses: TransportStatus[] } {
    const begin = (address: string, listeners: Map<string, Listener>): void => {
      this.opened.push(address)
      this.#listeners = listeners
    }
    class Socket implements WebSocketLike {
      binaryType = ''
      readonly bufferedAmount = 0
      readonly #own = new Map<string, Listener>()
      constructor(address: string | URL) {
        begin(String(address), this.#own)
      }
      send(): void {}
      close(): void {}
      addEventListener(type: string, listener: Listener): void {
        this.#own.set(type, listener)
      }
    }
    const transport = webSocketTransport({ url, WebSocket: Socket, timers: this.timers })
    const statuses: TransportStatus[] = []
    transport.status$.subscribe((status) => statuses.push(status))
    return { transport, statuses }
  }

  say(type: 'open' | 'close'): void {
    this.#listeners.get(type)!({ data: '', code: 1006, reason: '' })
  }

  /** The host of each socket, by its first letter. */
  get hosts(): string {
    return this.opened.map((address) => new URL(address).hostname[0]).join('')
  }
}

const THREE = ['ws://a.test', new URL('ws://b.test'), 'ws://c.test'] as const

function scene(url: UrlSource = THREE) {
  const sockets = new Sockets()
  return Object.assign(sockets.transport(url), {
    sockets,
    fail(this: { transport: Transport }, times = 1) {
      for (let n = 0; n < times; n++) {
        this.transport.open('db')
        sockets.say('close')
      }
    },
  })
}

describe('the addresses of a transport', () => {
  test.each([
    [0, 'a'],
    [0.34, 'b'],
    [0.99, 'c'],
  ])('are begun with at random (%d)', (draw, first) => {
    const { sockets, transport } = scene()
    sockets.draw = draw
    transport.open('db')
    expect(sockets.hosts).toBe(first)
    expect(sockets.opened[0]).toBe(`ws://${first}.test/v1/databases/db/sync`)
  })

  test('are tried one after the other while none can be connected to', () => {
    const one = scene()
    one.fail(7)
    expect(one.sockets.hosts).toBe('abcabca')
  })

  test('are stayed with while a connection is ended by whoever uses it, and left when it is lost', () => {
    const { sockets, transport } = scene()
    for (let n = 0; n < 3; n++) {
      transport.open('db')
      sockets.say('open')
      transport.close()
      // The late word of what is over.
      sockets.say('close')
    }
    transport.open('db')
    sockets.say('open')
    sockets.say('close')
    transport.open('db')
    expect(sockets.hosts).toBe('aaaab')
  })

  test('are gone on with where the user says that this one is of no use', () => {
    const { sockets, transport } = scene()
    transport.open('db')
    transport.addresses!.next()
    transport.addresses!.next()
    transport.close()
    transport.open('db')
    expect([sockets.hosts, transport.addresses!.count]).toEqual(['ab', 3])
  })

  test('one that is no address fails in its turn, with a reason', () => {
    const one = scene(['ftp://a.test', 'not a URL', 'ws://c.test'])
    for (let n = 0; n < 3; n++) one.transport.open('db')
    expect(one.sockets.hosts).toBe('c')
    expect(one.statuses.flatMap(({ reason }) => reason ?? [])).toEqual([
      "'ftp://a.test/' is no address of a server: use ws: or wss:",
      "'not a URL' is no URL: Invalid URL",
    ])
  })

  test.each([
    ['an empty list', [], /list is empty/],
    ['a number', 7, /7 is no address/],
    ['nothing', undefined, /undefined is no address/],
    ['a list with null', ['ws://a.test', null], /null is no address/],
  ])('that are %s are refused at once', (_what, url, reason) => {
    for (const create of [webSocketTransport, sseTransport]) {
      expect(() => create({ url: url as never })).toThrow(RowcastError)
      expect(() => create({ url: url as never })).toThrow(reason)
    }
  })
})

describe('a function of addresses', () => {
  test('is asked for each connection, and what it gives now counts', async () => {
    const given: UrlSource[] = ['ws://a.test', Promise.resolve(new URL('ws://b.test')) as never, [...THREE], [...THREE]]
    const { sockets, transport } = scene(() => given.shift() as string)
    for (let n = 0; n < 4; n++) {
      transport.open('db')
      await rest()
      sockets.say('close')
    }
    expect([sockets.hosts, given.length, transport.addresses!.count]).toEqual(['abca', 0, 3])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no list')
      },
      'no address: no list',
    ],
    ['rejects', () => Promise.reject(new Error('no list')), 'no address: no list'],
    ['gives none', () => [], 'no address: url: the list is empty: give the address of a server'],
    ['gives nonsense', () => [{}] as never, /no address: .*is no address/],
    ['gives what is no URL', () => 'nowhere', "no address: 'nowhere' is no URL: Invalid URL"],
  ] satisfies [string, () => unknown, unknown][])(
    'that %s fails that connection, and is asked for the next',
    async (_what, fails, reason) => {
      let isFirst = true
      const { sockets, transport, statuses } = scene(() => {
        if (!isFirst) return 'ws://a.test'
        isFirst = false
        return fails() as string
      })
      transport.open('db')
      await rest()
      expect(statuses.at(-1)).toEqual({
        state: 'closed',
        reason: typeof reason === 'string' ? reason : (expect.stringMatching(reason) as string),
      })
      transport.open('db')
      await rest()
      expect(sockets.hosts).toBe('a')
      expect(sockets.timers.pending).toBe(0)
    },
  )

  test('that does not answer is given up, and what it gives too late opens nothing', async () => {
    const waiting: ((url: string) => void)[] = []
    const { sockets, transport, statuses } = scene(() => new Promise<string>((give) => waiting.push(give)))
    transport.open('db')
    await rest()
    sockets.timers.next()
    expect(statuses.at(-1)).toEqual({ state: 'closed', reason: 'url() has given no address for 30 s' })
    transport.open('db')
    await rest()
    transport.close()
    for (const give of waiting) give('ws://a.test')
    await rest()
    expect([waiting.length, sockets.opened, sockets.timers.pending]).toEqual([2, [], 0])
  })

  test('serves server-sent events too', async () => {
    const asked: string[] = []
    const transport = sseTransport({
      url: () => Promise.resolve(['http://a.test', 'http://b.test']),
      timers: new ManualTimers(),
      fetch: (url) => {
        asked.push(String(url))
        return Promise.reject(new Error('down'))
      },
    })
    for (let n = 0; n < 3; n++) {
      transport.open('db')
      await rest()
    }
    expect(asked.map((url) => new URL(url).host)).toEqual(['a.test', 'b.test', 'a.test'])
  })
})

describe('a redirect', () => {
  test('is followed next, stayed with, and after its loss one of its own is taken', () => {
    const { sockets, transport } = scene()
    transport.open('db')
    sockets.say('open')
    expect(transport.addresses!.redirect('https://x.test/deep')).toBe(undefined)
    for (let n = 0; n < 2; n++) {
      transport.close()
      transport.open('db')
      sockets.say('open')
    }
    expect(sockets.opened.at(-1)).toBe('wss://x.test/deep/v1/databases/db/sync')
    sockets.say('close')
    transport.open('db')
    expect(sockets.hosts).toBe('axxb')
  })

  test('that can not be opened leads back', () => {
    const { sockets, transport } = scene('ws://a.test')
    transport.open('db')
    transport.addresses!.redirect('ws://x.test')
    transport.close()
    transport.open('db')
    sockets.say('close')
    transport.open('db')
    expect(sockets.hosts).toBe('axa')
  })

  test('to one of its own counts as that one', () => {
    const { sockets, transport } = scene()
    transport.open('db')
    transport.addresses!.redirect('http://b.test/')
    transport.close()
    transport.open('db')
    sockets.say('close')
    transport.open('db')
    expect(sockets.hosts).toBe('abc')
  })

  test('saves to ask for addresses', async () => {
    let asked = 0
    const { sockets, transport } = scene(() => `ws://a.test/${asked++}`)
    transport.open('db')
    await rest()
    transport.addresses!.redirect('ws://x.test')
    transport.close()
    transport.open('db')
    expect([sockets.hosts, asked]).toEqual(['ax', 1])
  })

  test.each([
    ['wss://a.test', 'ws://x.test', /not encrypted/],
    ['https://a.test', 'http://x.test', /not encrypted/],
    ['https://a.test', ' HTTP://x.test', /not encrypted/],
    ['wss://a.test', 'https://x.test', undefined],
    ['ws://a.test', 'http://x.test', undefined],
    ['ws://a.test', 'wss://x.test', undefined],
    ['ws://a.test', 'ftp://x.test', /no address of a server/],
    ['ws://a.test', 'javascript:alert(1)', /no address of a server/],
    ['ws://a.test', '/path', /no address of a server/],
    ['ws://a.test', '', /no address of a server/],
  ])('from %s to %s', (from, to, refused) => {
    const { sockets, transport } = scene(from)
    transport.open('db')
    const said = transport.addresses!.redirect(to)
    if (refused) expect(said).toMatch(refused)
    else expect(said).toBe(undefined)
    transport.close()
    transport.open('db')
    expect(sockets.hosts).toBe(refused ? 'aa' : 'ax')
  })
})

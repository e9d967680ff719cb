import fc from 'fast-check'
import { acceptMux, acceptMuxToo, memoryTransport, type ServerConnection } from 'rowcast/transport'
import { BehaviorSubject, filter, firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { formatFrame, MuxClient, parseFrame } from '../../../src/transport/mux/index.ts'
import type { Link } from '../../../src/transport/transports/create-transport.ts'
import { Recorder } from '../transports/peer.ts'

/** One channel, both sides. */
class Ends {
  readonly received: string[] = []
  readonly closed: string[] = []
  readonly opened$ = new BehaviorSubject(0)
  readonly link: Link

  constructor(mux: MuxClient) {
    this.link = mux.connect(
      {
        opened: () => this.opened$.next(1),
        received: (message) => this.received.push(message),
        closed: (reason) => {
          this.closed.push(reason)
          this.opened$.next(-1)
        },
      },
      'db',
    )
  }

  reach(state: 1 | -1): Promise<number> {
    return firstValueFrom(this.opened$.pipe(filter((value) => value === state)))
  }
}

/** All that is under way in memory has arrived: a later channel opens behind it. */
async function calm(mux: MuxClient): Promise<void> {
  const probe = new Ends(mux)
  await probe.reach(1)
  probe.link.close()
}

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', ' ', 'm1 x', 'c2', 'o3', '{"type":"hello"}'))

test('a frame reads as it was written', () => {
  fc.assert(
    fc.property(fc.constantFrom('o', 'm', 'c'), fc.nat(Number.MAX_SAFE_INTEGER), text, (kind, channel, words) => {
      expect(parseFrame(formatFrame(kind, channel, words))).toEqual({ kind, channel, text: words })
    }),
  )
})

test('whatever is no frame is told apart, and so is JSON', () => {
  for (const bad of [
    '',
    'm',
    'm1',
    'o',
    'x1',
    'o-1',
    'o1.5',
    'o1e3',
    'm x',
    'o99999999999999999',
    'ox',
    ' o1',
    '{"n":0}',
  ])
    expect([bad, parseFrame(bad)]).toEqual([bad, undefined])
})

test('each channel carries its own messages in order, and the end of one leaves the others, in any interleaving', async () => {
  const action = fc.record({
    channel: fc.nat(4),
    does: fc.oneof(
      { arbitrary: fc.constant('up' as const), weight: 6 },
      { arbitrary: fc.constant('down' as const), weight: 6 },
      { arbitrary: fc.constantFrom('close', 'refuse', 'settle'), weight: 1 },
    ),
    text,
  })
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      const server = new Recorder()
      const mux = new MuxClient(memoryTransport(acceptMux(server.accept)))
      const ends: Ends[] = []
      for (let n = 0; n < 5; n++) {
        ends.push(new Ends(mux))
        await ends[n]!.reach(1)
      }
      const up: string[][] = ends.map(() => [])
      const down: string[][] = ends.map(() => [])
      const over = new Map<number, 'close' | 'refuse'>()
      const endOne = (channel: number, how: 'close' | 'refuse', reason: string): void => {
        over.set(channel, how)
        if (how === 'close') ends[channel]!.link.close()
        else server.seen[channel]!.connection.close(4001, reason)
      }
      for (const { channel, does, text: words } of actions) {
        if (does === 'settle') await calm(mux)
        else if (over.has(channel)) continue
        else if (does === 'up') {
          up[channel]!.push(words)
          ends[channel]!.link.send(words)
        } else if (does === 'down') {
          down[channel]!.push(words)
          server.seen[channel]!.connection.send(words)
        } else if (over.size < 4) endOne(channel, does === 'close' ? 'close' : 'refuse', `no more of ${channel}`)
      }
      await calm(mux)
      await calm(mux)
      for (const [n, end] of ends.entries()) {
        const seen = server.seen[n]!
        const how = over.get(n)
        // What was on its way to the side that ended it may be lost.
        if (how === 'close') expect(end.received).toEqual(down[n]!.slice(0, end.received.length))
        else expect(end.received).toEqual(down[n])
        if (how === 'refuse') expect(seen.received).toEqual(up[n]!.slice(0, seen.received.length))
        else expect(seen.received).toEqual(up[n])
        expect(end.closed).toEqual(how === 'refuse' ? [`no more of ${n}`] : [])
        expect(seen.closed).toHaveLength(how === undefined ? 0 : 1)
      }
    }),
  )
})

test('the shared connection is open while there are channels, and its end is the end of each, with its reason', async () => {
  const server = new Recorder()
  const shared: ServerConnection[] = []
  const ended$ = new BehaviorSubject<readonly string[]>([])
  const served = acceptMux(server.accept)
  const transport = memoryTransport((connection, request) => {
    shared.push(connection)
    const handler = served(connection, request)
    return {
      receive: (message) => handler.receive(message),
      closed: (reason) => {
        handler.closed(reason)
        ended$.next([...ended$.value, reason])
      },
    }
  })
  const mux = new MuxClient(transport)
  const [one, two] = [new Ends(mux), new Ends(mux)]
  await Promise.all([one.reach(1), two.reach(1)])
  expect(shared).toHaveLength(1)
  shared[0]!.close(4001, 'for the night')
  await Promise.all([one.reach(-1), two.reach(-1)])
  expect([...one.closed, ...two.closed]).toEqual(['for the night', 'for the night'])
  expect(server.seen.map(({ closed }) => closed)).toEqual([['for the night'], ['for the night']])

  const three = new Ends(mux)
  await three.reach(1)
  three.link.close()
  expect(await firstValueFrom(transport.status$)).toEqual({ state: 'closed' })
  await firstValueFrom(ended$.pipe(filter(({ length }) => length === 2)))
  expect(server.seen[2]!.closed).toHaveLength(1)
})

test('nonsense ends the whole connection with a reason, and each of its channels once', () => {
  fc.assert(
    fc.property(fc.string(), (nonsense) => {
      fc.pre(parseFrame(nonsense) === undefined)
      const server = new Recorder()
      const said: string[] = []
      const handler = acceptMux(server.accept)(connectionOf(said), { url: '/', headers: new Map() })
      handler.receive('o1')
      handler.receive(nonsense)
      handler.receive('o2')
      handler.closed('gone')
      expect(said).toEqual(['o1', 'close 4000 not a frame of a multiplexed connection'])
      expect(server.seen.map(({ closed }) => closed)).toEqual([['not a frame of a multiplexed connection']])
    }),
  )
})

test('a channel is opened once, and there are 200 at most', () => {
  const server = new Recorder()
  const said: string[] = []
  const handler = acceptMux(server.accept)(connectionOf(said), { url: '/', headers: new Map() })
  for (let n = 1; n <= 201; n++) handler.receive(`o${n}`)
  expect(server.seen).toHaveLength(200)
  expect(said.at(-1)).toBe('c201 a connection carries 200 others at most')
  handler.receive('c7')
  handler.receive('o202')
  expect(said.at(-1)).toBe('o202')
  handler.receive('o7')
  expect(said.at(-1)).toBe('close 4000 channel 7 was opened before')
})

test('one endpoint takes both kinds, by their first message', () => {
  const server = new Recorder()
  const accept = acceptMuxToo(server.accept)
  const plain = accept(connectionOf([]), { url: '/', headers: new Map() })
  plain.receive('{"type":"hello"}')
  plain.receive('m1 a message of another protocol')
  expect(server.seen[0]).toMatchObject({
    received: ['{"type":"hello"}', 'm1 a message of another protocol'],
    closed: [],
  })

  const said: string[] = []
  const shared = accept(connectionOf(said), { url: '/', headers: new Map() })
  for (const frame of ['o1', 'o2', 'm2 {"type":"hello"}']) shared.receive(frame)
  shared.closed('gone')
  expect(said).toEqual(['o1', 'o2'])
  expect(server.seen.slice(1).map(({ received, closed }) => [received, closed])).toEqual([
    [[], ['it carries several connections']],
    [[], ['gone']],
    [['{"type":"hello"}'], ['gone']],
  ])
})

test('a server that takes single connections only is told by its answer', async () => {
  const transport = memoryTransport((connection) => ({
    receive: () => connection.send('{"type":"closing","code":"malformed"}'),
    closed: () => undefined,
  }))
  const end = new Ends(new MuxClient(transport))
  await end.reach(-1)
  expect(end.closed).toEqual([
    'the server does not carry several connections over one: it answered {"type":"closing","code":"malformed"}',
  ])
})

function connectionOf(said: string[]): ServerConnection {
  return {
    send: (message) => said.push(message),
    buffered: 0,
    close: (code, reason) => said.push(`close ${code} ${reason}`),
  }
}

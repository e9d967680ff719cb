import { filter, firstValueFrom, map, merge, of } from 'rxjs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Transport, TransportStatus } from '../../../src/transport/transport.ts'
import { Recorder, type Seen } from './peer.ts'

export interface TransportHarness {
  /** A new transport to the server that `accept` was given for. */
  create(): Transport
  /** A new one to where no server is. */
  createUnreachable(): Transport
  stop(): Promise<void>
}

/** What every kind of transport must do, against a real server that `make` starts. */
export function runTransportContract(
  name: string,
  make: (accept: Recorder['accept']) => Promise<TransportHarness>,
): void {
  describe(`${name} keeps the contract of transports`, () => {
    let server: Recorder
    let harness: TransportHarness
    let transport: Transport
    let messages: string[]
    let statuses: TransportStatus[]

    beforeEach(async () => {
      server = new Recorder()
      harness = await make(server.accept)
      transport = harness.create()
      messages = []
      statuses = []
      transport.messages$.subscribe((message) => messages.push(message))
      transport.status$.subscribe((status) => statuses.push(status))
    })

    afterEach(async () => {
      transport.close()
      await harness.stop()
    })

    const states = (): string[] => statuses.map(({ state }) => state)
    const reach = (state: TransportStatus['state'], of: Transport = transport): Promise<TransportStatus> =>
      firstValueFrom(of.status$.pipe(filter((status) => status.state === state)))
    /** When the condition holds; it is looked at whenever either side has seen something. */
    const until = async (holds: () => boolean): Promise<void> => {
      const moves$ = merge(of(undefined), server.moved$, transport.messages$, transport.status$)
      await firstValueFrom(
        moves$.pipe(
          map(() => holds()),
          filter(Boolean),
        ),
      )
    }
    /** Opens, and gives what the server holds of it. */
    const connect = async (): Promise<Seen> => {
      const position = server.seen.length
      transport.open('db')
      await reach('open')
      await until(() => server.seen.length > position)
      return server.seen[position]!
    }

    test('is closed at first, and says each state to those who subscribe late', async () => {
      expect(statuses).toEqual([{ state: 'closed' }])
      transport.open('db')
      expect(states()).toEqual(['closed', 'connecting'])
      expect(await firstValueFrom(transport.status$)).toEqual({ state: 'connecting' })
      await reach('open')
      expect(await firstValueFrom(transport.status$)).toEqual({ state: 'open' })
      expect(states()).toEqual(['closed', 'connecting', 'open'])
    })

    test('carries messages whole, once each and in order, both ways', async () => {
      const sent = [
        '',
        'plain',
        '"quoted"\\',
        'ünïcödé 🚲 \u2028',
        'a\nb\r\nc\rd\n',
        'a\rb',
        ' space ',
        ': no comment',
        'data: x',
        '\0',
      ]
      for (let n = 0; n < 500; n++) sent.push(`${n}`)
      const seen = await connect()
      for (const message of sent) transport.send(message)
      await until(() => seen.received.length >= sent.length)
      expect(seen.received).toEqual(sent)
      for (const message of sent) seen.connection.send(message)
      await until(() => messages.length >= sent.length)
      expect(messages).toEqual(sent)
    })

    test('keeps order where each message answers another', async () => {
      const seen = await connect()
      transport.messages$.subscribe((message) => {
        if (Number(message) < 100) transport.send(message)
      })
      server.moved$.subscribe(() => {
        if (seen.received.length > 0 && messages.length === seen.received.length)
          seen.connection.send(String(messages.length + 1))
      })
      seen.connection.send('1')
      await until(() => messages.length === 100)
      expect(messages).toEqual(Array.from({ length: 100 }, (_, n) => String(n + 1)))
      expect(seen.received).toEqual(messages.slice(0, -1))
    })

    test('carries messages of 5 MB both ways, and says what is buffered', async () => {
      const big = 'größer '.repeat(5_000_000 / 7)
      const seen = await connect()
      expect(transport.buffered).toBe(0)
      transport.send(big)
      transport.send('after')
      expect(transport.buffered).toBeGreaterThanOrEqual(big.length)
      await until(() => seen.received.length === 2)
      expect(seen.received[0] === big).toBe(true)
      seen.connection.send(big)
      seen.connection.send('after')
      await until(() => messages.length === 2)
      expect(messages[0] === big).toBe(true)
      expect([messages[1], seen.received[1]]).toEqual(['after', 'after'])
      transport.send('last')
      await until(() => seen.received.length === 3)
    })

    test('closes with the reason that the server gave, after all that it sent before', async () => {
      const seen = await connect()
      seen.connection.send('goodbye')
      seen.connection.close(4001, 'closing for the night')
      const status = await reach('closed')
      expect(status).toEqual({ state: 'closed', reason: 'closing for the night' })
      expect(messages).toEqual(['goodbye'])
      await until(() => seen.closed.length > 0)
      seen.connection.send('too late')
      seen.connection.close(4002, 'again')
      expect(seen.closed).toEqual(['closing for the night'])
    })

    test('closes with a reason where the server turns it away as it connects', async () => {
      server.greet = (connection) => connection.close(4003, 'not you')
      transport.open('db')
      await until(() => states().length > 2 && states().at(-1) === 'closed')
      expect(statuses.at(-1)).toEqual({ state: 'closed', reason: 'not you' })
      await until(() => server.seen[0]!.closed.length > 0)
      expect(server.seen[0]!.closed).toEqual(['not you'])
    })

    test('delivers what the server sends as it connects, after it said that it is open', async () => {
      server.greet = (connection) => connection.send('welcome')
      const heard: string[] = []
      transport.messages$.subscribe(() => heard.push(...states()))
      transport.open('db')
      await until(() => messages.length > 0)
      expect(messages).toEqual(['welcome'])
      expect(heard).toEqual(['closed', 'connecting', 'open'])
    })

    test('ends in closed with a reason where no server is, each time', async () => {
      const nowhere = harness.createUnreachable()
      for (const _attempt of [1, 2]) {
        expect(() => nowhere.open('db')).not.toThrow()
        const { reason } = await reach('closed', nowhere)
        expect(reason).toMatch(/\w+/)
      }
    })

    test('does nothing when it is opened while connecting or open', async () => {
      transport.open('db')
      transport.open('db')
      await reach('open')
      transport.open('db')
      transport.send('alone')
      await until(() => server.seen[0]?.received.length === 1)
      expect(server.seen).toHaveLength(1)
      expect(states()).toEqual(['closed', 'connecting', 'open'])
    })

    test('tells the server that the client has closed, once, and gives no reason itself', async () => {
      const seen = await connect()
      transport.close()
      expect(statuses.at(-1)).toEqual({ state: 'closed' })
      transport.close()
      expect(states()).toEqual(['closed', 'connecting', 'open', 'closed'])
      await until(() => seen.closed.length > 0)
      expect(seen.closed).toHaveLength(1)
    })

    test('drops what is sent while it is not open', async () => {
      transport.send('before')
      transport.open('db')
      transport.send('while connecting')
      await reach('open')
      transport.send('now')
      await until(() => server.seen[0]?.received.length === 1)
      transport.close()
      transport.send('after')
      expect(transport.buffered).toBe(0)
      const second = await connect()
      transport.send('again')
      await until(() => second.received.length === 1)
      expect(server.seen.map(({ received }) => received)).toEqual([['now'], ['again']])
    })

    test('can be closed while it connects, and opened again at once', async () => {
      transport.open('db')
      transport.close()
      expect(statuses.at(-1)).toEqual({ state: 'closed' })
      transport.open('db')
      await reach('open')
      transport.send('here')
      await until(() => server.seen.at(-1)?.received.length === 1)
      expect(states()).toEqual(['closed', 'connecting', 'closed', 'connecting', 'open'])
    })

    test('delivers nothing of an earlier connection once it was closed, whatever the server still sends', async () => {
      const first = await connect()
      for (let n = 0; n < 50; n++) first.connection.send(`first ${n}`)
      await until(() => messages.length > 0)
      transport.close()
      const before = messages.length
      for (let n = 0; n < 50; n++) first.connection.send(`late ${n}`)
      const second = await connect()
      for (let n = 0; n < 50; n++) first.connection.send(`later ${n}`)
      second.connection.send('second')
      await until(() => messages.includes('second'))
      expect(messages.slice(before)).toEqual(['second'])
    })

    test('opens again as often as it closes, from within the word that it has closed', async () => {
      const rounds = 5
      transport.status$.subscribe(({ state }) => {
        if (state === 'closed' && server.seen.length < rounds) transport.open('db')
      })
      for (let round = 0; round < rounds; round++) {
        await until(() => server.seen.length > round)
        await reach('open')
        server.seen[round]!.connection.close(1000, `round ${round}`)
        await until(() => statuses.some(({ reason }) => reason === `round ${round}`))
      }
      expect(server.seen).toHaveLength(rounds)
      await until(() => server.seen.every(({ closed }) => closed.length === 1))
    })

    test('may be closed from within a message, and delivers none after that', async () => {
      const seen = await connect()
      transport.messages$.subscribe((message) => {
        if (message === '3') transport.close()
      })
      for (let n = 1; n <= 10; n++) seen.connection.send(String(n))
      await until(() => seen.closed.length > 0)
      expect(messages).toEqual(['1', '2', '3'])
    })
  })
}

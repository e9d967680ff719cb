import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createFaults,
  type FaultOdds,
  type FaultStep,
  memoryTransport,
} from '../../../src/transport/transports/index.ts'
import { Random } from '../../support/random.ts'
import { Recorder } from './peer.ts'

const real: FaultOdds = { deliver: 90, reorder: 0, duplicate: 0, drop: 0, cut: 10 }
const calm: FaultOdds = { ...real, cut: 0 }

function network(seed: number, odds?: FaultOdds) {
  const random = new Random(seed)
  const faults = createFaults((below) => random.int(below), odds)
  const server = new Recorder()
  const create = () => {
    const transport = memoryTransport(server.accept, { faults })
    const messages: string[] = []
    const states: string[] = []
    transport.messages$.subscribe((message) => messages.push(message))
    transport.status$.subscribe(({ state }) => states.push(state))
    return { transport, messages, states }
  }
  return { faults, server, create }
}

/** Three clients that send, and open again when they were cut; the log of what happened. */
function schedule(seed: number, odds?: FaultOdds): { log: FaultStep[]; received: string[][]; heard: string[][] } {
  const { faults, server, create } = network(seed, odds)
  const clients = [create(), create(), create()]
  const log: FaultStep[] = []
  for (let turn = 0; turn < 200; turn++) {
    const { transport } = clients[turn % 3]!
    transport.open('db')
    transport.send(`up ${turn}`)
    server.seen.at(-1)?.connection.send(`down ${turn}`)
    const step = faults.step()
    if (step) log.push(step)
  }
  while (faults.pending > 0) log.push(faults.step('deliver')!)
  return { log, received: server.seen.map(({ received }) => received), heard: clients.map(({ messages }) => messages) }
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let at = -1
  return part.every((item) => (at = whole.indexOf(item, at + 1)) >= 0)
}

describe('createFaults', () => {
  test('moves nothing on its own', async () => {
    const { faults, server, create } = network(1, calm)
    const { transport, states } = create()
    transport.open('db')
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect([server.seen.length, states]).toEqual([0, ['closed', 'connecting']])
    expect(faults.pending).toBe(1)
    expect(faults.step()).toEqual({ did: 'open', connection: 1 })
    expect(states.at(-1)).toBe('open')
    expect([faults.pending, faults.step()]).toEqual([0, undefined])
  })

  test('does the same again from the same seed, and something else from another', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expect(schedule(seed)).toEqual(schedule(seed))
      }),
      { numRuns: 20 },
    )
    expect(schedule(1).log).not.toEqual(schedule(2).log)
  })

  test('does all that it can do in a schedule of its usual odds', () => {
    const did = new Set([1, 2, 3, 4, 5].flatMap((seed) => schedule(seed).log.map((step) => step.did)))
    expect([...did].toSorted()).toEqual(['cut', 'deliver', 'drop', 'duplicate', 'end', 'open', 'reorder'])
  })

  test('keeps order and repeats nothing within a connection where only cuts are asked for', () => {
    const all = Array.from({ length: 200 }, (_, turn) => `up ${turn}`)
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        for (const received of schedule(seed, real).received) expect(isSubsequence(received, all)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test('repeats, reorders and drops the message it is told to', () => {
    const { faults, server, create } = network(1, calm)
    const { transport } = create()
    transport.open('db')
    faults.step()
    for (const message of ['a', 'b', 'c']) transport.send(message)
    expect(transport.buffered).toBe(3)
    expect(faults.step('duplicate')).toEqual({ did: 'duplicate', connection: 1, to: 'server', message: 'a' })
    expect(faults.step('drop')).toMatchObject({ did: 'drop', message: 'a' })
    expect(faults.step('reorder')).toMatchObject({ did: 'reorder', message: 'c' })
    expect(faults.step('deliver')).toMatchObject({ did: 'deliver', message: 'b' })
    expect(server.seen[0]!.received).toEqual(['a', 'c', 'b'])
    expect(transport.buffered).toBe(0)
  })

  test('tells one side of a cut at once, and the other after what still arrives there', () => {
    const { faults, server, create } = network(3, calm)
    const { transport, states, messages } = create()
    transport.open('db')
    faults.step()
    const seen = server.seen[0]!
    transport.send('up')
    expect(faults.step('cut')).toMatchObject({ did: 'cut', to: 'server' })
    expect([seen.received, seen.closed.length, states.at(-1)]).toEqual([[], 1, 'open'])
    transport.send('into the void')
    expect(faults.step()).toMatchObject({ did: 'end', to: 'client' })
    expect([states.at(-1), messages]).toEqual(['closed', []])
    expect(faults.pending).toBe(0)
  })

  test('has nothing left for a client that closed but the word of it for the server, after what was sent before', () => {
    const { faults, server, create } = network(1, calm)
    const { transport } = create()
    transport.open('db')
    faults.step()
    transport.send('up')
    for (const message of ['a', 'b']) server.seen[0]!.connection.send(message)
    transport.close()
    expect(faults.pending).toBe(2)
    expect([faults.step()?.did, faults.step()?.did, faults.step()]).toEqual(['deliver', 'end', undefined])
    expect([server.seen[0]!.received, server.seen[0]!.closed.length]).toEqual([['up'], 1])
  })

  test('refuses a connection that is cut before it was established', () => {
    const { faults, server, create } = network(1, calm)
    const { transport, states } = create()
    transport.open('db')
    faults.step('cut')
    expect([server.seen.length, states]).toEqual([0, ['closed', 'connecting', 'closed']])
  })

  test('cuts everything at once as a crash does, after which all can connect again', () => {
    const { faults, server, create } = network(1, calm)
    const clients = [create(), create()]
    for (const { transport } of clients) transport.open('db')
    while (faults.pending > 0) faults.step()
    for (const { transport } of clients) transport.send('lost')
    for (const { connection } of server.seen) connection.send('lost too')
    faults.cutAll('the server crashed')
    expect(faults.pending).toBe(0)
    for (const { states, messages } of clients) expect([states.at(-1), messages]).toEqual(['closed', []])
    for (const { received, closed } of server.seen) expect([received, closed]).toEqual([[], ['the server crashed']])
    for (const { transport } of clients) transport.open('db')
    while (faults.pending > 0) faults.step()
    expect(clients.map(({ states }) => states.at(-1))).toEqual(['open', 'open'])
  })
})

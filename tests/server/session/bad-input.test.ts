/* oxlint-disable vitest/no-standalone-expect -- what holds after each of these tests is checked in one place */
import { formatMessage } from '../../../src/transport/protocol/parse-message.ts'
import type { ServerCore } from 'rowcast/server'
import type { ClosingMessage } from 'rowcast/transport'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openServer } from '../../support/sync-world.ts'
import { helloMessage, put, RawClient, type Draft } from './raw-client.ts'

let core: ServerCore
let good: RawClient
let reported: unknown[]
let key = 0

beforeEach(async () => {
  reported = []
  core = await openServer({ onError: (error) => reported.push(error), limits: { messageBytes: 10_000 } })
  good = await RawClient.enter(core)
})

afterEach(async () => {
  // Whatever was said, somebody else on the same database notices nothing.
  const before = good.messages.length
  expect(await good.commit([put(++key)])).toMatchObject({ type: 'commits' })
  expect(good.messages.slice(before).filter(({ type }) => type !== 'presence')).toHaveLength(1)
  expect(good.messages.slice(0, before).filter(({ type }) => !['welcome', 'rows', 'presence'].includes(type))).toEqual(
    [],
  )
  expect(reported).toEqual([])
  await core.close()
})

/** What the server says at the end of a connection on which this was said. */
async function closingAfter(...said: (string | Draft)[]): Promise<ClosingMessage> {
  const bad = new RawClient(core)
  for (const one of said)
    if (typeof one === 'string') bad.raw(one)
    else bad.post(one)
  const closing = await bad.closing()
  expect(bad.ended).toEqual({ code: 4000, reason: closing.code })
  const { length } = bad.messages
  bad.post({ type: 'ping' })
  expect(bad.messages).toHaveLength(length)
  return closing
}

describe('what is no message ends the connection as malformed', () => {
  test.each([
    ['an empty text', ''],
    ['no JSON', '{"type":"ping"'],
    ['two values', '{"n":0,"type":"ping"} {}'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"ping"'],
    ['a message without a type', '{"n":0}'],
    ['an unknown type', '{"n":0,"type":"drop"}'],
    ['a type of the server', '{"n":0,"type":"pong"}'],
    ['a type that objects have by nature', '{"n":0,"type":"__proto__"}'],
    ['another such type', '{"n":0,"type":"toString"}'],
    ['a type that is none', '{"n":0,"type":["hello"]}'],
    ['no number', '{"type":"ping"}'],
    ['a negative number', '{"n":-1,"type":"ping"}'],
    ['a fraction as number', '{"n":0.5,"type":"ping"}'],
    ['an endless number', '{"n":1e999,"type":"ping"}'],
    ['a property too many', '{"n":0,"type":"ping","more":1}'],
    ['__proto__ as property', '{"n":0,"type":"ping","__proto__":{}}'],
    ['hello without fields', '{"n":0,"type":"hello"}'],
    ['hello with wrong types', formatMessage({ ...helloMessage, n: 0, database: 7 } as never)],
    ['hello with an empty name', formatMessage({ ...helloMessage, n: 0, database: '' })],
    ['hello with a long name', formatMessage({ ...helloMessage, n: 0, database: 'x'.repeat(257) })],
    ['an unknown tag', '{"n":0,"type":"presence","state":{"$date":"1"}}'],
    ['a tag with another content', '{"n":0,"type":"presence","state":{"$bigint":"x"}}'],
    ['endless nesting', `{"n":0,"type":"presence","state":${'['.repeat(4_000)}${']'.repeat(4_000)}}`],
    ['cells that are a tagged value', transactText('{"$bigint":"7"}')],
    ['cells that are a list', transactText('[]')],
    ['a key that is null', transactText('{}', 'null')],
    ['a key that is an empty list', transactText('{}', '[]')],
    ['a key that is endless', transactText('{}', '1e999')],
    ['a key with too many digits', transactText('{}', `{"$bigint":"${'9'.repeat(20)}"}`)],
    ['a key that is no number', transactText('{}', '{"$number":"NaN"}')],
  ])('%s', async (_name, text) => {
    expect(await closingAfter(text)).toMatchObject({
      code: expect.stringMatching(/^(malformed|unauthenticated)$/) as string,
    })
  })

  test('and says where and why, without repeating it', async () => {
    const { reason } = await closingAfter(transactText('[]'))
    expect(reason).toBe('not a message of the sync protocol: transact/transactions/0/changes/0/after must be object')
    const long = await closingAfter(`{"n":0,"type":"${'x'.repeat(9_000)}"}`)
    expect(long.reason.length).toBeLessThan(200)
  })
})

function transactText(after: string, change = '1'): string {
  return `{"n":0,"type":"transact","transactions":[{"id":"t","changes":[{"table":"note","key":${change},"op":"put","after":${after}}]}]}`
}

describe('a connection', () => {
  test('ends where a message is too long', async () => {
    expect(await closingAfter(' '.repeat(10_001))).toMatchObject({ code: 'too-large' })
  })

  test('ends where a message is missing, comes twice or early, and may begin anew at once', async () => {
    const ping = { type: 'ping' }
    for (const said of [
      [{ ...helloMessage, n: 1 }],
      [helloMessage, { ...ping, n: 0 }],
      [helloMessage, { ...ping, n: 2 }],
    ])
      expect(await closingAfter(...said)).toMatchObject({ code: 'out-of-order', retryAfterMs: 0 })
  })

  test('ends where a piece is missing, comes twice or early, also if the numbers of messages are right again', async () => {
    const begin = { type: 'begin', transfer: 't', from: 0, bytes: 0 }
    const end = { type: 'end', transfer: 't' }
    const ping = '.2,0:"type":"ping"}'
    for (const said of [
      ['+2,1:"type":"ping"}'],
      ['+2,0:"type":', '.2,2:"ping"}'],
      ['+2,0:"type":', '+2,0:"type":', '.2,1:"ping"}'],
      [ping, ping],
      [ping, ping, { type: 'ping' }],
      ['.3,0:"type":"ping"}'],
      [ping, end],
      [ping, '.3,0:"type":"ping"}'],
    ])
      expect(await closingAfter(helloMessage, begin, ...said), said.join(' ')).toMatchObject({
        code: 'out-of-order',
        retryAfterMs: 0,
      })
  })

  test('ends where pieces of nothing come, end or are received', async () => {
    const begin = { type: 'begin', transfer: 't', from: 0, bytes: 0 }
    for (const said of [
      ['.1,0:"type":"ping"}'],
      ['.x,0:"type":"ping"}'],
      ['."type":"ping"}'],
      [{ ...begin, from: 1 }],
      [{ type: 'end', transfer: 't' }],
      [begin, { type: 'end', transfer: 'u' }],
      [begin, '+2,0:"type":', { type: 'end', transfer: 't' }],
      [{ type: 'received', transfer: 't', pieces: 1 }],
    ])
      expect(await closingAfter(helloMessage, ...said), JSON.stringify(said)).toMatchObject({ code: 'malformed' })
  })

  test.each([
    { type: 'ping' },
    { type: 'transact', transactions: [] },
    { type: 'subscribe', subscription: { id: 'a', sets: [] } },
    { type: 'unsubscribe', id: 'a' },
    { type: 'presence', state: 1 },
  ])('begins with hello, not with %o', async (message) => {
    expect(await closingAfter(message)).toMatchObject({ code: 'unauthenticated' })
  })

  test('has one hello', async () => {
    expect(await closingAfter(helloMessage, helloMessage)).toMatchObject({ code: 'malformed' })
  })

  test('ends for good where the protocol is another one, and the application is to be loaded anew', async () => {
    for (const protocol of [0, 1, 99])
      expect(await closingAfter({ ...helloMessage, protocol })).toMatchObject({
        code: 'protocol-version',
        reload: true,
      })
  })

  test('ends for good for an older schema, and is to be tried later for a newer one', async () => {
    const older = await closingAfter({ ...helloMessage, schemaVersion: 0 })
    expect(older).toMatchObject({ code: 'schema-version', reload: true })
    expect(older).not.toHaveProperty('retryAfterMs')
    const newer = await closingAfter({ ...helloMessage, schemaVersion: 2 })
    expect(newer).toMatchObject({ code: 'schema-version', retryAfterMs: 10_000 })
    expect(newer).not.toHaveProperty('reload')
  })

  test.each(['other', '__proto__', 'SCENE'])('ends for good for a database that there is not: %o', async (database) => {
    expect(await closingAfter({ ...helloMessage, database })).toMatchObject({ code: 'unknown-database' })
  })
})

describe('a subscription', () => {
  const bad = [
    ['an unknown table', { table: 'nothing' }],
    ['a table that objects have by nature', { table: '__proto__' }],
    ['an unknown operator', { table: 'note', where: { size: { $near: 1 } } }],
    ['a bad pattern', { table: 'note', where: { slug: { $like: 7 } } }],
  ] as const

  test.each(bad)('to %s is refused, and the connection goes on', async (_name, set) => {
    const client = await RawClient.enter(core)
    client.post({ type: 'subscribe', subscription: { id: 'bad', sets: [set] } })
    expect(await client.next('refused')).toMatchObject({ id: 'bad', code: 'not-found' })
    client.post({ type: 'subscribe', subscription: { id: 'bad', sets: [{ table: 'note' }] } })
    expect(await client.next('rows')).toMatchObject({ subscription: 'bad', rows: [] })
    client.leave()
  })

  test.each(bad)('to %s in hello ends the connection', async (_name, set) => {
    expect(await closingAfter({ ...helloMessage, subscriptions: [{ id: 'bad', sets: [set] }] })).toMatchObject({
      code: 'malformed',
    })
  })

  test('under an id that is taken ends the connection', async () => {
    const twice = { type: 'subscribe', subscription: { id: 'all', sets: [] } }
    expect(await closingAfter(helloMessage, twice)).toMatchObject({ code: 'malformed' })
  })

  test('that is unknown can be ended: nothing happens', async () => {
    const client = await RawClient.enter(core)
    client.post({ type: 'unsubscribe', id: 'nothing' })
    await client.settled()
    expect(client.messages.map(({ type }) => type)).not.toContain('unsubscribed')
    client.leave()
  })
})

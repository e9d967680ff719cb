import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ServerCore, User } from 'rowcast/server'
import { openServer } from '../../support/sync-world.ts'
import { contentOf, put, RawClient } from '../session/raw-client.ts'

let reported: unknown[]
let core: ServerCore | undefined

async function open(user?: User): Promise<ServerCore> {
  core = await openServer({ onError: (error) => reported.push(error), ...(user && { authenticate: () => user }) })
  return core
}

beforeEach(() => {
  reported = []
})

afterEach(async () => {
  vi.useRealTimers()
  await core?.close()
  core = undefined
})

/** Time that passes when a test says so; what is handled between is handled as ever. */
function holdTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
}

const seconds = (): number => Date.now() / 1000

describe('a token', () => {
  test('that has expired ends its session, which may come again with a fresh one', async () => {
    holdTime()
    const client = await RawClient.enter(await open({ id: 'ann', exp: seconds() + 60 }))
    vi.advanceTimersByTime(59_000)
    await client.commit([put(1)])
    expect(client.ended).toBeUndefined()
    vi.advanceTimersByTime(1_001)
    expect(await client.closing()).toMatchObject({ code: 'unauthenticated', retryAfterMs: 500 })
    expect(reported).toEqual([])
  })

  test('that has expired already is good for nothing', async () => {
    holdTime()
    const late = new RawClient(await open({ id: 'ann', exp: seconds() - 1 }))
    late.hello()
    await late.next('welcome')
    vi.advanceTimersByTime(1)
    expect(await late.closing()).toMatchObject({ code: 'unauthenticated' })
  })

  test.each([
    ['never expires', {}],
    ['expires in a thousand years', { exp: seconds() + 1_000 * 365 * 86_400 }],
    ['says nothing sensible', { exp: 'soon' }],
  ])('that %s ends nothing', async (_what, claims) => {
    holdTime()
    const client = await RawClient.enter(await open({ id: 'ann', ...claims }))
    vi.advanceTimersByTime(86_400_000)
    await client.commit([put(1)])
    expect(client.ended).toBeUndefined()
  })

  test('of a connection that has left keeps no timer', async () => {
    holdTime()
    /** What is still waited for ten seconds after somebody came and left. */
    const timersAfter = async (user: User): Promise<number> => {
      const server = await open(user)
      const client = await RawClient.enter(server)
      client.leave()
      vi.advanceTimersByTime(10_000)
      const timers = vi.getTimerCount()
      await server.close()
      return timers
    }
    const usual = await timersAfter({ id: 'ann' })
    expect(await timersAfter({ id: 'ann', exp: seconds() + 60 })).toBe(usual)
  })
})

describe('a connection that says nothing', () => {
  test('is ended after ten seconds', async () => {
    holdTime()
    const client = new RawClient(await open())
    vi.advanceTimersByTime(9_999)
    expect(client.ended).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(await client.closing()).toMatchObject({ code: 'unauthenticated' })
    expect(reported).toEqual([])
  })

  test('after its hello stays', async () => {
    holdTime()
    const client = await RawClient.enter(await open())
    vi.advanceTimersByTime(60_000)
    await client.settled()
    expect(client.ended).toBeUndefined()
  })

  test('and leaves takes its timer with it', async () => {
    holdTime()
    const client = new RawClient(await open())
    expect(vi.getTimerCount()).toBe(1)
    client.leave()
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('a listener that throws is ended, the failure reported, and the others are told', async () => {
  const server = await open()
  const before = await RawClient.enter(server)
  const { database, release } = await server.databases.use('scene')
  const failure = new Error('a listener that fails')
  const ends: unknown[] = []
  const stop = database.listen({
    decided: () => {
      throw failure
    },
    end: (code, _reason, options) => ends.push([code, options]),
  })
  const after = await RawClient.enter(server)
  expect(await before.commit([put(1)])).toMatchObject({ type: 'commits' })
  await after.find('commits')
  expect(ends).toEqual([['internal', { retryAfterMs: 500 }]])
  expect(reported).toEqual([failure])
  stop()
  expect(await after.commit([put(2)])).toMatchObject({ type: 'commits' })
  expect(Object.keys(await contentOf(server))).toEqual(['note 1', 'note 2'])
  expect(reported).toHaveLength(1)
  release()
})

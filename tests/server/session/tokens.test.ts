import { RowcastError } from 'rowcast'
import { createServer, memoryStorage, type ServerOptions, type User } from 'rowcast/server'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { sceneSchema } from '../../support/sync-world.ts'
import { put, RawClient } from './raw-client.ts'

const DAY_MS = 24 * 60 * 60 * 1000

afterEach(() => void vi.useRealTimers())

/** A server whose tokens are users, as JSON. */
async function open(options: Partial<ServerOptions> = {}) {
  const reported: unknown[] = []
  const server = createServer({
    schema: sceneSchema,
    storage: memoryStorage(),
    authenticate: ({ token }) => (token === undefined ? undefined : (JSON.parse(token) as User)),
    authorize: () => true,
    onError: (error) => reported.push(error),
    ...options,
  })
  onTestFinished(() => server.close())
  await server.databases.create('scene')
  return { server, reported }
}

const tokenOf = (user: User): string => JSON.stringify(user)

test.each([2 / 86_400, 24, 30, 400])('a connection ends with its token, %s days from now', async (days) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const { server } = await open({ idleMs: 1 })
  const client = await RawClient.enter(server, {
    token: tokenOf({ id: 'ann', exp: (Date.now() + days * DAY_MS) / 1000 }),
  })
  await vi.advanceTimersByTimeAsync(days * DAY_MS - 1_000)
  expect(client.ended).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await client.closing()).toMatchObject({ code: 'unauthenticated', retryAfterMs: 500 })
})

test('disconnect ends every connection of one user, who may come back', async () => {
  const { server } = await open()
  const enter = (id: string): Promise<RawClient> => RawClient.enter(server, { token: tokenOf({ id, name: 'Ann' }) })
  const [one, two, other] = [await enter('ann'), await enter('ann'), await enter('bob')]
  expect(server.disconnect('ann')).toBe(2)
  for (const client of [one, two])
    expect(await client.closing()).toMatchObject({ code: 'unauthenticated', retryAfterMs: 500 })
  expect(await other.commit([put(1)])).toMatchObject({ type: 'commits' })
  await enter('ann')
  expect(server.disconnect({ id: 'ann' })).toBe(1)
  expect(server.disconnect('nobody')).toBe(0)
})

test('whoever is revoked is let in no more, and those who are connected are ended', async () => {
  const revoked = new Set<unknown>()
  const { server } = await open({ isRevoked: async ({ jti }) => revoked.has(jti), revocationMs: 5 })
  const token = tokenOf({ id: 'ann', jti: '1' })
  const client = await RawClient.enter(server, { token })
  const other = await RawClient.enter(server, { token: tokenOf({ id: 'ann', jti: '2' }) })
  revoked.add('1')
  expect(await client.closing()).toMatchObject({ code: 'unauthenticated', retryAfterMs: 500 })
  const again = new RawClient(server)
  again.hello({ token })
  expect(await again.closing()).toEqual(expect.not.objectContaining({ retryAfterMs: 500 }))
  const request = new Request('http://localhost/v1/databases', {
    headers: { authorization: `Bearer ${tokenOf({ id: 'ann', jti: '1' })}` },
  })
  expect((await server.fetch(request)).status).toBe(401)
  expect(await other.commit([put(1)])).toMatchObject({ type: 'commits' })
})

test.each<[string, Partial<ServerOptions>]>([
  ['authenticate throws', { authenticate: () => Promise.reject(new Error('key set: 503')) }],
  ['authenticate names nobody', { authenticate: () => ({ name: 'Ann' }) as never }],
  ['authorize throws', { authorize: () => Promise.reject(new Error('no directory')) }],
  ['isRevoked throws', { isRevoked: () => Promise.reject(new Error('no list')) }],
])('where %s it is said to ask again, and reported', async (_what, options) => {
  const { server, reported } = await open(options)
  const client = new RawClient(server)
  client.hello({ token: tokenOf({ id: 'ann' }) })
  expect(await client.closing()).toMatchObject({ code: 'unavailable', retryAfterMs: 500 })
  expect(reported).toHaveLength(1)
  const response = await server.fetch(
    new Request('http://localhost/v1/databases', { headers: { authorization: `Bearer ${tokenOf({ id: 'ann' })}` } }),
  )
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  expect(reported).toHaveLength(2)
})

test.each([
  [
    'authenticate',
    { authenticate: () => Promise.reject(new RowcastError('unauthenticated', 'no')) },
    'unauthenticated',
  ],
  ['authorize', { authorize: () => false }, 'forbidden'],
])('what %s has judged is final, and not reported', async (_what, options, code) => {
  const { server, reported } = await open(options as Partial<ServerOptions>)
  const client = new RawClient(server)
  client.hello({ token: tokenOf({ id: 'ann' }) })
  const closing = await client.closing()
  expect([closing.code, closing.retryAfterMs, reported]).toEqual([code, undefined, []])
})

test('a hello is waited for while who it is is found out, however long; one that does not come is not final', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let answer: (user: User) => void = () => undefined
  const { server } = await open({ authenticate: () => new Promise<User>((resolve) => (answer = resolve)) })
  const slow = new RawClient(server)
  const silent = new RawClient(server)
  slow.hello({ token: 'x' })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await silent.closing()).toMatchObject({ code: 'unauthenticated', retryAfterMs: 500 })
  answer({ id: 'ann' })
  expect(await slow.find('welcome')).toMatchObject({ type: 'welcome' })
})

import { createStore, RowcastError, StoreClosedError, SyncEndedError, TransactionError, type SyncStatus } from 'rowcast'
import { memoryTransport, type Accept, type TokenSource, type Transport } from 'rowcast/transport'
import type { ServerCore, ServerOptions } from 'rowcast/server'
import { firstValueFrom, filter } from 'rxjs'
import { expect, onTestFinished, test } from 'vitest'
import { ManualTimers } from '../../support/manual-timers.ts'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { openServer, sceneSchema, settled } from '../../support/sync-world.ts'
import { rest } from '../../support/stepped-world.ts'

/** A server that asks who somebody is, and takes everyone whom `refused` does not name. */
async function serve(options: Partial<ServerOptions> = {}) {
  const refused = new Set<string | undefined>([undefined])
  const asked: (string | undefined)[] = []
  const core = await openServer({
    authenticate: ({ token }) => {
      asked.push(token)
      // What comes behind a dash is another token of the same user.
      return refused.has(token) ? undefined : { id: token!.split('-')[0]! }
    },
    ...options,
  })
  onTestFinished(() => core.close())
  return { core, refused, asked }
}

/** A line to a server that can be cut. */
function lineTo(core: ServerCore) {
  const ends = new Set<() => void>()
  const line = {
    isUp: true,
    accept: ((connection, request) => {
      if (!line.isUp) {
        connection.close(1001, 'the line is down')
        return { receive: () => undefined, closed: () => undefined }
      }
      const handler = core.accept(connection, request)
      ends.add(() => connection.close(1001, 'the line broke'))
      return handler
    }) as Accept,
    cut: (): void => {
      for (const end of ends) end()
      ends.clear()
    },
  }
  return line
}

async function open(
  accept: Accept,
  options: { token?: TokenSource; timers?: ManualTimers; disk?: MemoryDisk; transport?: Transport } = {},
) {
  const { disk, ...transport } = options
  const store = await createStore({
    schema: sceneSchema,
    sync: { database: 'scene', transport: memoryTransport(accept, transport) },
    ...(disk && { persistence: disk }),
  })
  onTestFinished(() => store.close())
  const statuses: SyncStatus[] = []
  store.sync.status$.subscribe((status) => statuses.push(status))
  return { store, statuses, status: () => statuses.at(-1)! }
}

const untilState = (store: { readonly sync: Awaited<ReturnType<typeof open>>['store']['sync'] }, wanted: string) =>
  firstValueFrom(store.sync.status$.pipe(filter(({ state }) => state === wanted)))

/** A token that comes when the test says so. */
function slowTokens() {
  const waiting: { give(token: string): void; fail(error: Error): void }[] = []
  const token = (): Promise<string> => new Promise((give, fail) => waiting.push({ give, fail }))
  return { token, waiting }
}

test('a token that takes longer than a server waits for a hello is waited for, and brought then', async () => {
  const { core, asked } = await serve()
  const timers = new ManualTimers()
  const { token, waiting } = slowTokens()
  const { store, status } = await open(core.accept, { token, timers })
  await rest()
  expect(waiting.length).toBe(1)
  timers.next()
  expect(status()).toMatchObject({ state: 'offline', reason: expect.stringMatching(/token\(\) is awaited/) as string })
  await rest()
  // The server has no connection that waits for a hello.
  expect(core.sessions.size).toBe(0)
  waiting[0]!.give('ann')
  await rest()
  timers.next()
  await settled(store)
  expect([asked, waiting.length]).toEqual([['ann'], 1])
})

test('a token that does not come is given up after a minute, said so, and asked for again', async () => {
  const { core, asked } = await serve()
  const timers = new ManualTimers()
  const { token, waiting } = slowTokens()
  const { store, status } = await open(core.accept, { token, timers })
  await rest()
  timers.next()
  timers.next()
  expect(status()).toMatchObject({ state: 'offline', reason: 'token() has given none for 60 s' })
  timers.next()
  await rest()
  waiting[0]!.give('too late')
  waiting[1]!.give('ann')
  await settled(store)
  expect(asked).toEqual(['ann'])
})

test('a token that was asked for on a connection does not go out on the next', async () => {
  const { core, asked } = await serve()
  const line = lineTo(core)
  const { token, waiting } = slowTokens()
  const { store, statuses } = await open(line.accept, { token })
  await expect.poll(() => waiting.length).toBe(1)
  line.cut()
  await expect.poll(() => waiting.length).toBe(2)
  waiting[0]!.give('old')
  await rest()
  expect(asked).toEqual([])
  waiting[1]!.give('new')
  await settled(store)
  expect(asked).toEqual(['new'])
  expect(statuses.filter(({ code }) => code !== undefined)).toEqual([])
})

test.each([
  ['rejects', () => Promise.reject(new Error('the session service is down')), /no token: the session service is down/],
  [
    'throws',
    () => {
      throw new Error('no session yet')
    },
    /no token: no session yet/,
  ],
  ['gives no text', () => Promise.resolve(null as unknown as string), /no token: token\(\) has given no text/],
])('a token() that %s is asked again', async (_what, fails, reason) => {
  const { core } = await serve()
  let count = 0
  const { store, statuses } = await open(core.accept, { token: () => (count++ < 2 ? fails() : 'ann') })
  await settled(store)
  const told = statuses.filter(({ state }) => state !== 'connecting')
  expect(told.map(({ state }) => state)).toEqual(['offline', 'offline', 'live'])
  expect(told[0]!.reason).toMatch(reason)
})

test('what is subscribed to while a token is on its way is asked for with it, and nothing before the hello', async () => {
  const { core } = await serve()
  const line = lineTo(core)
  const { token, waiting } = slowTokens()
  let isFirst = true
  const { store, statuses } = await open(line.accept, {
    token: () => {
      if (!isFirst) return token()
      isFirst = false
      return 'ann'
    },
  })
  await settled(store)
  line.cut()
  await expect.poll(() => waiting.length).toBe(1)
  const { ready } = store.sync.subscribe([{ table: 'note' }])
  store.sync.subscribe([{ table: 'layer' }]).unsubscribe()
  store.sync.presence.set({ here: true })
  await rest()
  waiting[0]!.give('ann')
  await settled(store)
  await ready
  expect(statuses.filter(({ code }) => code !== undefined)).toEqual([])
})

test('a connection that a proxy refuses, with whatever status, is tried again', async () => {
  const { core } = await serve()
  const answers = ['answered 401 Unauthorized', 'answered 403 Forbidden', 'answered 503']
  const { store, statuses } = await open(
    (connection, request) => {
      const answer = answers.shift()
      if (answer === undefined) return core.accept(connection, request)
      connection.close(1002, answer)
      return { receive: () => undefined, closed: () => undefined }
    },
    { token: 'ann' },
  )
  await settled(store)
  const told = statuses.filter(({ state }) => state !== 'connecting')
  expect(told.map(({ state, reason }) => reason ?? state)).toEqual([
    'answered 401 Unauthorized',
    'answered 403 Forbidden',
    'answered 503',
    'live',
  ])
})

/** A store with work that is not sent, whose token is refused for good. */
async function endedScene(options: { disk?: MemoryDisk } = {}) {
  const world = await serve()
  const line = lineTo(world.core)
  const one = await open(line.accept, { token: 'ann', ...options })
  await settled(one.store)
  line.isUp = false
  line.cut()
  await untilState(one.store, 'offline')
  const { store } = one
  store.table('layer').insert({ id: 'before' })
  const draft = store.draft()
  draft.table('layer').insert({ id: 'drafted' })
  const begun = [
    draft.commit().confirmed,
    store.transaction(() => store.table('layer').insert({ id: 'asked' }), { confirm: 'server' }),
    store.sync.subscribe([{ table: 'note' }]).ready,
  ]
  const settledAs = Promise.allSettled(begun)
  world.refused.add('ann')
  line.isUp = true
  return { ...world, ...one, line, settledAs }
}

test('a final closing settles whatever waits, and whatever is begun after it; the work stays', async () => {
  const { store, status, settledAs } = await endedScene()
  for (const { status: end, reason } of (await settledAs) as PromiseRejectedResult[]) {
    expect(end).toBe('rejected')
    expect(reason).toBeInstanceOf(SyncEndedError)
    expect(reason).toMatchObject({ code: 'unauthenticated', message: expect.stringMatching(/reconnect\(\)/) as string })
  }
  expect(status()).toMatchObject({ state: 'closed', code: 'unauthenticated', pending: 2 })
  const draft = store.draft()
  draft.table('layer').insert({ id: 'after' })
  for (const promise of [
    draft.commit().confirmed,
    store.transaction(() => store.table('layer').insert({ id: 'asked again' }), { confirm: 'server' }),
    store.transaction(() => store.table('layer').count(), { confirm: 'server' }),
    store.sync.subscribe([{ table: 'layer' }]).ready,
  ])
    await expect(promise).rejects.toThrow(RowcastError)
  await store.saved()
  expect(status()).toMatchObject({ state: 'closed', pending: 3 })
  expect((await firstValueFrom(store.sync.pending$)).length).toBe(3)
  expect(store.table('layer').keys().toSorted()).toEqual(['after', 'before', 'drafted'])
})

test('reconnect() goes on with what is pending, under another token from then on', async () => {
  const { store, core, asked, line, settledAs } = await endedScene()
  await settledAs
  store.sync.reconnect({ token: 'ann-2' })
  await settled(store)
  const reader = await open(core.accept, { token: 'eve' })
  await settled(reader.store)
  expect(reader.store.table('layer').keys().toSorted()).toEqual(['before', 'drafted'])
  line.cut()
  await untilState(store, 'offline')
  await settled(store)
  expect(asked.filter((token) => token !== 'eve').at(-1)).toBe('ann-2')
  // Once more of use.
  await store.transaction(() => store.table('layer').insert({ id: 'asked' }), { confirm: 'server' })
  await store.sync.subscribe([{ table: 'note' }]).ready
})

test('a refusal after reconnect() is told in rejected$, and what was asked for is subscribed to', async () => {
  const { store, core, refused, settledAs } = await endedScene()
  await settledAs
  const other = await open(core.accept, { token: 'eve' })
  await settled(other.store)
  other.store.table('layer').insert({ id: 'before', name: 'of Eve' })
  await settled(other.store)
  refused.delete('ann')
  store.sync.reconnect()
  await settled(store)
  const [rejected] = await firstValueFrom(store.sync.rejected$.pipe(filter((list) => list.length > 0)))
  expect(rejected).toMatchObject({ code: 'constraint' })
  expect(store.table('layer').get('before')).toMatchObject({ name: 'of Eve' })
})

test('what is pending when the sync ends is kept, and sent by the store that is opened next', async () => {
  const disk = new MemoryDisk()
  const { store, refused, core, settledAs } = await endedScene({ disk })
  await settledAs
  await store.close()
  refused.clear()
  const again = await open(core.accept, { token: 'ann', disk: new MemoryDisk(disk.contents) })
  await settled(again.store)
  const reader = await open(core.accept, { token: 'eve' })
  await settled(reader.store)
  expect(reader.store.table('layer').keys().toSorted()).toEqual(['before', 'drafted'])
})

test('reconnect() tries at once where a store waits to, and takes a live one to another token', async () => {
  const { core, asked } = await serve()
  const line = lineTo(core)
  const timers = new ManualTimers()
  line.isUp = false
  const { store, status, statuses } = await open(line.accept, { token: 'ann', timers })
  for (let n = 0; n < 12; n++) {
    await rest()
    timers.next()
  }
  await rest()
  expect(status()).toMatchObject({ state: 'offline', reason: 'the line is down' })
  line.isUp = true
  store.sync.reconnect()
  expect(status()).toEqual({ state: 'connecting', pending: 0 })
  timers.next()
  await settled(store)
  store.sync.reconnect({ token: () => 'ann-2' })
  expect(status()).toEqual({ state: 'connecting', pending: 0 })
  timers.next()
  await rest()
  expect(status().state).toBe('live')
  expect(asked).toEqual(['ann', 'ann-2'])
  expect(core.sessions.size).toBe(1)
  expect(statuses.filter(({ state }) => state === 'live').length).toBe(2)
})

test('reconnect() may be called by whoever is told that the sync has ended', async () => {
  const { core, refused } = await serve()
  refused.add('ann')
  const { store, status } = await open(core.accept, { token: 'ann' })
  store.sync.status$.subscribe(({ state, code }) => {
    if (state === 'closed' && code === 'unauthenticated') store.sync.reconnect({ token: 'ann-2' })
  })
  await settled(store)
  expect(status().state).toBe('live')
})

test('reconnect() of a closed store and of one without a server says what is wrong', async () => {
  const { core } = await serve()
  const { store } = await open(core.accept, { token: 'ann' })
  const { sync } = store
  await store.close()
  expect(() => sync.reconnect()).toThrow(StoreClosedError)
  const alone = await createStore({ schema: sceneSchema })
  expect(() => alone.sync.reconnect()).toThrow(TransactionError)
  await alone.close()
})

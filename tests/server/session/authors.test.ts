import { createStore } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { memoryLogStorage, memorySnapshotStorage, ServerCore, type ServerOptions } from 'rowcast/server'
import { expect, onTestFinished, test } from 'vitest'
import { AppliedTransactions, scopeOf } from '../../../src/server/applied-transactions.ts'
import { formatRecord, parseRecord } from '../../../src/server/log-record.ts'
import { openServer, sceneSchema } from '../../support/sync-world.ts'
import { contentOf, put, RawClient } from './raw-client.ts'

/** A server where a token is the user's id, and everyone is called Ann. */
async function open(options: Partial<ServerOptions> = {}) {
  const core = await openServer({
    authenticate: ({ token }) => (token === undefined ? undefined : { id: token, name: 'Ann' }),
    authorize: () => true,
    ...options,
  })
  onTestFinished(() => core.close())
  return core
}

test('an id of one user says nothing of the same id of another: not known, not refused, not required', async () => {
  const core = await open()
  const mallory = await RawClient.enter(core, { token: 'mallory' })
  const ann = await RawClient.enter(core, { token: 'ann' })
  await mallory.commit([put(1)], { id: 'order' })
  await mallory.commit([put(1)], { id: 'refused' })
  expect(await ann.commit([put(4)], { id: 'rests', requires: ['order'] })).toMatchObject({ code: 'conflict' })
  expect(await ann.commit([put(2)], { id: 'order' })).toMatchObject({ type: 'commits' })
  expect(await ann.commit([put(3)], { id: 'refused' })).toMatchObject({ type: 'commits' })
  expect(await ann.commit([put(4)], { id: 'rests too', requires: ['order'] })).toMatchObject({ type: 'commits' })
  ann.transact([put(2)], { id: 'order' })
  expect(await ann.find('known')).toMatchObject({ id: 'order' })
  expect(Object.keys(await contentOf(core, { token: 'ann' }))).toEqual(['note 1', 'note 2', 'note 3', 'note 4'])
})

test.each([
  ['by the log', 5_000],
  ['by a snapshot', 1],
])('ids stay their authors own when the server starts again, %s', async (_how, snapshotEvery) => {
  const storage = { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() }
  const authenticate = ({ token = '' }): { id: string } => ({ id: token })
  const first = await open({ storage, snapshotEvery, authenticate })
  await (await RawClient.enter(first, { token: 'ann' })).commit([put(1)], { id: 'order' })
  await first.close()
  const core = new ServerCore({ schema: sceneSchema, storage, snapshotEvery, authenticate })
  onTestFinished(() => core.close())
  const ann = await RawClient.enter(core, { token: 'ann' })
  const mallory = await RawClient.enter(core, { token: 'mallory' })
  ann.transact([put(1)], { id: 'order' })
  expect(await ann.find('known')).toMatchObject({ id: 'order' })
  expect(await mallory.commit([put(2)], { id: 'order' })).toMatchObject({ type: 'commits' })
})

test('ids of before they had authors count for everyone, in snapshots and in the log', async () => {
  const store = await createStore({ schema: sceneSchema, driver: nodeSqliteDriver() })
  const driver = await nodeSqliteDriver().open(store.export())
  await store.close()
  driver.exec(
    `CREATE TABLE rowcast_transactions (id TEXT PRIMARY KEY NOT NULL, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     INSERT INTO rowcast_transactions VALUES ('old', 7)`,
  )
  const applied = new AppliedTransactions(driver)
  for (const user of [undefined, 'ann', 'mallory']) expect(applied.find(scopeOf(user), 'old')).toBe(7)
  applied.add(scopeOf('ann'), 'new', 8)
  expect([applied.find(scopeOf('ann'), 'new'), applied.find(scopeOf(undefined), 'new')]).toEqual([8, undefined])
  applied.finalize()
  const again = new AppliedTransactions(driver)
  expect([again.find(scopeOf('ann'), 'old'), again.find(scopeOf('ann'), 'new')]).toEqual([7, 8])
  again.finalize()
  driver.close()
  const old = '{"kind":"transaction","id":"a","at":1,"by":"Ann","changes":[]}'
  expect(parseRecord(old, 1)).toEqual({ kind: 'transaction', id: 'a', at: 1, name: 'Ann', changes: [] })
  const record = { kind: 'transaction', id: 'a', at: 1, by: 'u-7', name: 'Ann', changes: [] } as const
  expect(parseRecord(formatRecord(record), 1)).toEqual({ ...record, format: 2 })
})

test('nobody can sign as anyone: who it is stands beside what they are called, in commits and presence', async () => {
  const core = await open()
  const ann = await RawClient.enter(core, { token: 'ann' })
  const mallory = await RawClient.enter(core, { token: 'mallory' })
  await mallory.commit([put(1)])
  expect((await ann.find('commits')).commits).toMatchObject([{ by: 'mallory', name: 'Ann' }])
  expect((await ann.find('presence')).others).toMatchObject([{ user: 'mallory', name: 'Ann' }])
})

test('a client of version 3 is answered in version 3, in whole messages, with codes that it knows', async () => {
  let up = true
  const core = await open({
    authenticate: ({ token = '' }) => {
      if (up) return { id: token, name: 'Ann' }
      throw new TypeError('fetch failed')
    },
    onError: () => undefined,
  })
  const old = new RawClient(core)
  old.hello({ token: 'old', protocol: 3 })
  expect(await old.next('welcome')).toMatchObject({ protocol: 3 })
  const now = await RawClient.enter(core, { token: 'now' })
  await now.commit([put(1)])
  expect((await old.find('commits')).commits[0]).toMatchObject({ by: 'now' })
  const alsoNow = await RawClient.enter(core, { token: 'also' })
  await now.commit([put(2)])
  expect((await alsoNow.find('commits')).commits[0]).toMatchObject({ by: 'now', name: 'Ann' })
  up = false
  for (const [protocol, code] of [
    [3, 'internal'],
    [4, 'unavailable'],
  ] as const) {
    const client = new RawClient(core)
    client.hello({ token: 'x', protocol })
    expect(await client.closing()).toMatchObject({ code, retryAfterMs: 500 })
  }
  for (const protocol of [2, 6]) {
    const client = new RawClient(core)
    client.hello({ protocol })
    expect(await client.closing()).toMatchObject({ code: 'protocol-version' })
  }
})

test('a connection is for the database of its path', async () => {
  const core = await open()
  const closingOf = async (url: string, database: string, multiplexed = false): Promise<string[]> => {
    const said: string[] = []
    const handler = core.accept(
      { send: (text) => void said.push(text), buffered: 0, close: () => undefined },
      { url, headers: new Map(), multiplexed },
    )
    onTestFinished(() => handler.closed('left'))
    const hello = { protocol: 4, schemaVersion: 1, database, token: 'ann', subscriptions: [] }
    handler.receive(JSON.stringify({ n: 0, type: 'hello', ...hello }))
    await expect.poll(() => said.length).toBeGreaterThan(0)
    return said
      .filter((text) => text.startsWith('{'))
      .map((text) => JSON.parse(text) as { type: string; code?: string })
      .map(({ type, code }) => code ?? type)
  }
  for (const path of ['sync', 'events', 'sync?x=1', 'events?x=1'])
    expect(await closingOf(`/v1/databases/other/${path}`, 'scene')).toEqual(['malformed'])
  expect(await closingOf('/v1/databases/%E0%A4%A/sync', 'scene')).toEqual(['malformed'])
  for (const url of ['/v1/databases/scene/sync', '/v1/databases/sc%65ne/events', '/'])
    expect((await closingOf(url, 'scene'))[0]).toBe('welcome')
  expect((await closingOf('/v1/databases/other/sync', 'scene', true))[0]).toBe('welcome')
})

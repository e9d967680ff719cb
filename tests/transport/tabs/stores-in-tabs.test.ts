import { createStore } from 'rowcast'
import { memoryLogStorage, memorySnapshotStorage, type ServerCore } from 'rowcast/server'
import { createTabs, type Tabs } from 'rowcast/tabs'
import { acceptMux, memoryTransport, tabTransport, type Accept } from 'rowcast/transport'
import { filter, firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { TAKEOVER_MS } from '../../support/takeover.ts'
import { parseValue } from '../../../src/changes/index.ts'
import { openServer, sceneSchema, settled } from '../../support/sync-world.ts'

interface Tab {
  readonly tabs: Tabs
  readonly store: Awaited<ReturnType<typeof openTab>>['store']
}

/** Counts the connections that are open at once. */
function counted(accept: Accept): {
  readonly accept: Accept
  readonly seen: { open: number; most: number; all: number }
} {
  const seen = { open: 0, most: 0, all: 0 }
  return {
    seen,
    accept: (connection, request) => {
      seen.all++
      seen.most = Math.max(seen.most, ++seen.open)
      const handler = accept(connection, request)
      return {
        receive: (message) => handler.receive(message),
        closed: (reason) => {
          seen.open--
          handler.closed(reason)
        },
      }
    },
  }
}

async function openTab(name: string, accept: Accept, database = 'scene') {
  const tabs = createTabs({ name })
  const transport = tabTransport({ name, transport: () => memoryTransport(accept), tabs })
  return { tabs, store: await createStore({ schema: sceneSchema, sync: { transport, database } }) }
}

async function idsOf(storage: ReturnType<typeof memoryLogStorage>, core: ServerCore): Promise<string[]> {
  await core.close()
  const log = await storage.open('scene')
  const ids: string[] = []
  for await (const { payload } of log.read(1)) {
    const { id } = parseValue(payload) as { id?: string }
    if (id !== undefined) ids.push(id)
  }
  await log.close()
  return ids
}

test('four tabs over one connection: leaders close with transactions in flight, and each arrives exactly once', async () => {
  const logs = memoryLogStorage()
  const core = await openServer({ storage: { logs, snapshots: memorySnapshotStorage() } })
  const { accept, seen } = counted(acceptMux(core.accept))
  const name = crypto.randomUUID()
  const tabs: Tab[] = []
  for (let n = 0; n < 4; n++) {
    tabs.push(await openTab(name, accept))
    await settled(tabs[n]!.store)
  }
  expect(seen).toMatchObject({ open: 1, most: 1 })
  expect(core.sessions.size).toBe(4)

  const sent: string[] = ['shared']
  tabs[0]!.store.table('layer').insert({ id: 'shared' })
  await Promise.all(tabs.map(({ store }) => firstValueFrom(store.table('layer').row$('shared').pipe(filter(Boolean)))))
  let next = 0
  const commit = (tab: Tab, count: number): void => {
    for (let n = 0; n < count; n++) {
      const id = `layer ${next++}`
      tab.store.table('layer').insert({ id, name: tab.tabs.id })
      sent.push(id)
    }
  }
  while (tabs.length > 1) {
    for (const tab of tabs) commit(tab, 40)
    // Its own are confirmed, so that what is lost can only be what others sent through it.
    const leader = tabs.find(({ tabs: { isLeader } }) => isLeader)!
    await settled(leader.store)
    const rest = tabs.filter((tab) => tab !== leader)
    for (const tab of rest) {
      commit(tab, 40)
      tab.store.table('layer').set('shared', 'name', tab.tabs.id)
    }
    const inFlight = rest.map(({ store }) => firstValueFrom(store.sync.pending$).then(({ length }) => length))
    expect(Math.min(...(await Promise.all(inFlight)))).toBeGreaterThan(0)
    const from = performance.now()
    await leader.store.close()
    leader.tabs.close()
    tabs.splice(tabs.indexOf(leader), 1)
    await Promise.all(tabs.map(({ store }) => settled(store)))
    expect(performance.now() - from).toBeLessThan(TAKEOVER_MS)
  }
  const [last] = tabs
  const rows = last!.store.table('layer').all()
  expect(rows.map(({ id }) => id).toSorted()).toEqual(sent.toSorted())
  const fresh = await openTab(name, accept)
  await settled(fresh.store)
  expect(fresh.store.table('layer').all()).toEqual(rows)
  expect(seen).toMatchObject({ open: 1, most: 1, all: 4 })
  for (const { tabs: joined, store } of [last!, fresh]) {
    await store.close()
    joined.close()
  }
  const ids = await idsOf(logs, core)
  expect(new Set(ids).size).toBe(ids.length)
})

test('the stores that stay are equal after every change of leader, and a store in another database is in step too', async () => {
  const core = await openServer()
  await core.databases.create('other')
  const { accept, seen } = counted(acceptMux(core.accept))
  const name = crypto.randomUUID()
  const [a, b, c] = [await openTab(name, accept), await openTab(name, accept), await openTab(name, accept, 'other')]
  await Promise.all([a, b, c].map(({ store }) => settled(store)))
  expect(seen).toMatchObject({ open: 1, all: 1 })
  b.store.table('layer').insert({ id: 'roads' })
  c.store.table('layer').insert({ id: 'rivers' })
  await firstValueFrom(a.store.table('layer').row$('roads').pipe(filter(Boolean)))
  await a.store.close()
  a.tabs.close()
  await Promise.all([settled(b.store), settled(c.store)])
  expect(
    [b, c].map(({ store }) =>
      store
        .table('layer')
        .all()
        .map(({ id }) => id),
    ),
  ).toEqual([['roads'], ['rivers']])
  for (const { tabs, store } of [b, c]) {
    await store.close()
    tabs.close()
  }
  await core.close()
})

test('tabs of its own: a store that is closed hands the connection to the next, and leaves', async () => {
  const core = await openServer()
  const { accept, seen } = counted(acceptMux(core.accept))
  const name = crypto.randomUUID()
  const open = () =>
    createStore({
      schema: sceneSchema,
      sync: { transport: tabTransport({ name, transport: () => memoryTransport(accept) }), database: 'scene' },
    })
  const [a, b] = [await open(), await open()]
  await Promise.all([settled(a), settled(b)])
  b.table('layer').insert({ id: 'roads' })
  await a.close()
  b.table('layer').insert({ id: 'rivers' })
  await settled(b)
  expect(seen).toMatchObject({ open: 1, most: 1, all: 2 })
  const observer = createTabs({ name: `transport:${name}` })
  await firstValueFrom(observer.tabs$.pipe(filter((present) => present.some(({ leader }) => leader))))
  await b.close()
  await firstValueFrom(observer.tabs$.pipe(filter((present) => present.length === 1)))
  observer.close()
  expect(core.sessions.size).toBe(0)
  await core.close()
})

test('a connection that is asked for before any tab leads waits in connecting', async () => {
  const core = await openServer()
  const name = crypto.randomUUID()
  const holder = await navigator.locks.query().then(
    () =>
      new Promise<() => void>((resolve) => {
        navigator.locks
          .request(`rowcast-tabs-1:transport:${name}:leader`, () => new Promise<void>((release) => resolve(release)))
          .catch(() => undefined)
      }),
  )
  const transport = tabTransport({ name, transport: () => memoryTransport(acceptMux(core.accept)) })
  transport.open('scene')
  const observer = createTabs({ name: `transport:${name}` })
  await firstValueFrom(observer.tabs$.pipe(filter((present) => present.some(({ candidate }) => candidate))))
  expect(await firstValueFrom(transport.status$)).toEqual({ state: 'connecting' })
  holder()
  await firstValueFrom(transport.status$.pipe(filter(({ state }) => state === 'open')))
  transport.close()
  observer.close()
  await core.close()
})

test('options that can not be are told at once', () => {
  const transport = () => memoryTransport(() => ({ receive: () => undefined, closed: () => undefined }))
  expect(() => tabTransport({ name: '', transport })).toThrow(expect.objectContaining({ code: 'tabs' }))
  const tabs = createTabs({ name: crypto.randomUUID() })
  tabTransport({ name: 'a', transport, tabs })
  expect(() => tabTransport({ name: 'a', transport, tabs })).toThrow(expect.objectContaining({ code: 'tabs' }))
  tabs.close()
})

import { createStore } from 'rowcast'
import { PersistenceError } from 'rowcast/persist'
import { createTabs, type Tabs } from 'rowcast/tabs'
import { acceptMux, memoryTransport, tabPersistence, tabTransport, type Accept } from 'rowcast/transport'
import { memoryLogStorage, memorySnapshotStorage, type ServerCore } from 'rowcast/server'
import { config, filter, firstValueFrom, map } from 'rxjs'
import { beforeEach, expect, test } from 'vitest'
import { parseValue } from '../../../src/changes/index.ts'
import type { SqliteDriverFactory } from '../../../src/drivers/index.ts'
import { nodeSqliteDriver } from '../../../src/drivers/node.ts'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { nobody, openScene, openServer, sceneSchema, settled } from '../../support/sync-world.ts'

let name: string
let disk: MemoryDisk

beforeEach(() => {
  name = crypto.randomUUID()
  disk = new MemoryDisk()
})

async function openTab(
  accept: Accept = nobody,
  subscribe?: readonly { readonly table: 'layer' }[],
  database: string = 'scene',
  driver?: SqliteDriverFactory,
) {
  const tabs: Tabs = createTabs({ name, silenceMs: 400 })
  const store = await createStore({
    schema: sceneSchema,
    driver,
    sync: {
      transport: tabTransport({ name: `${name} ${database}`, transport: () => memoryTransport(accept), tabs }),
      database,
      subscribe,
    },
    persistence: tabPersistence({ name, persistence: disk, tabs }),
  })
  const layers = store.table('layer')
  return {
    store,
    layers,
    notes: store.table('note'),
    ids: () => layers.all().map(({ id }) => id),
    pending: (test: (ids: readonly string[]) => boolean) =>
      firstValueFrom(
        store.sync.pending$.pipe(
          map((list) => list.map(({ changes }) => String(changes.changes[0]?.key))),
          filter(test),
        ),
      ),
    async close() {
      await store.close()
      tabs.close()
    },
  }
}

async function logged(core: ServerCore, storage: ReturnType<typeof memoryLogStorage>): Promise<string[]> {
  await core.close()
  const log = await storage.open('scene')
  const keys: string[] = []
  for await (const { payload } of log.read(1)) {
    const { id, changes } = parseValue(payload) as { id?: string; changes: { key: string }[] }
    if (id !== undefined) keys.push(...changes.map(({ key }) => key))
  }
  await log.close()
  return keys
}

test('a store of another database does not share what is kept of this one', async () => {
  const a = await openTab()
  a.layers.insert({ id: 'a1' })
  await a.store.saved()
  await expect(openTab(nobody, undefined, 'other')).rejects.toThrow(/keeps database 'scene', not 'other'/)
  await a.close()
  const again = await openTab()
  expect(await again.pending((ids) => ids.length > 0)).toEqual(['a1'])
  await again.close()
})

test('a store of another database that opened at the same moment takes nothing over, and writes over nothing', async () => {
  const [a, b] = await Promise.allSettled([openTab(), openTab(nobody, undefined, 'other')])
  if (a.status === 'rejected') throw new Error('the first could not open', { cause: a.reason })
  a.value.layers.insert({ id: 'a1' })
  await a.value.store.saved()
  await a.value.close()
  // Where the other was too early to be refused, it is next in line now.
  if (b.status === 'fulfilled') {
    await expect.poll(() => disk.opens).toBe(2)
    await b.value.store.saved().catch((error: unknown) => expect(error).toBeInstanceOf(PersistenceError))
    expect(b.value.ids()).toEqual([])
    b.value.layers.insert({ id: 'b1' })
    await expect(b.value.store.saved()).rejects.toThrow(/keeps database 'scene'/)
    await b.value.close().catch((error: unknown) => expect(error).toBeInstanceOf(PersistenceError))
  }
  const again = await openTab()
  expect(await again.pending((ids) => ids.length > 0)).toEqual(['a1'])
  await again.close()
})

test('a large arrival in a promoted tab of another database writes over nothing', async () => {
  const uncaught: unknown[] = []
  config.onUnhandledError = (error) => uncaught.push(error)
  const core = await openServer()
  await core.databases.create('other')
  // Nothing says yet of what database it is, while the first opens.
  let letGo = (): void => undefined
  const opened = new Promise<void>((resolve) => (letGo = resolve))
  const real = nodeSqliteDriver()
  const opening = openTab(nobody, undefined, 'scene', {
    ...real,
    open: async (...args: Parameters<typeof real.open>) => {
      await opened
      return real.open(...args)
    },
  })
  await expect.poll(() => disk.opens).toBe(1)
  const b = await openTab(acceptMux(core.accept), undefined, 'other')
  letGo()
  const a = await opening
  a.layers.insert({ id: 'a1' })
  await a.store.saved()
  await a.close()
  await expect.poll(() => disk.opens).toBe(2)
  b.layers.insert(Array.from({ length: 6_000 }, (_, n) => ({ id: `b${n}` })))
  await expect(b.store.saved()).rejects.toThrow(/keeps database 'scene'/)
  await expect(b.close()).rejects.toThrow(/keeps database 'scene'/)
  // They surface by timers: those before this one.
  await new Promise((resolve) => setTimeout(resolve))
  config.onUnhandledError = null
  expect(uncaught.length).toBeGreaterThan(0)
  for (const error of uncaught) expect(error).toBeInstanceOf(PersistenceError)
  const again = await openTab()
  expect(await again.pending((ids) => ids.length > 0)).toEqual(['a1'])
  await again.close()
  await core.close()
})

test('edits made offline in two tabs are there in the one that opens after both, and each is applied once', async () => {
  const [a, b] = await Promise.all([openTab(), openTab()])
  a.layers.insert({ id: 'a1' })
  b.layers.insert({ id: 'b1' })
  b.layers.insert({ id: 'b2' })
  a.layers.insert({ id: 'a2' })
  await Promise.all([a.store.saved(), b.store.saved()])
  expect(b.ids()).not.toContain('a1')
  await Promise.all([a.close(), b.close()])
  const c = await openTab()
  expect((await c.pending((ids) => ids.length === 4)).toSorted()).toEqual(['a1', 'a2', 'b1', 'b2'])
  expect(c.ids().toSorted()).toEqual(['a1', 'a2', 'b1', 'b2'])
  await c.store.saved()
  await c.close()
  const logs = memoryLogStorage()
  const core = await openServer({ storage: { logs, snapshots: memorySnapshotStorage() } })
  const d = await openTab(acceptMux(core.accept))
  await settled(d.store)
  expect(d.ids().toSorted()).toEqual(['a1', 'a2', 'b1', 'b2'])
  await d.close()
  const e = await openTab()
  expect(e.ids().toSorted()).toEqual(['a1', 'a2', 'b1', 'b2'])
  expect(await e.pending(() => true)).toEqual([])
  await e.close()
  expect((await logged(core, logs)).toSorted()).toEqual(['a1', 'a2', 'b1', 'b2'])
})

test('a tab that opens beside another has what is confirmed, offline too, and nobody else’s pending edits', async () => {
  const core = await openServer()
  const a = await openTab(acceptMux(core.accept))
  a.layers.insert({ id: 'confirmed' })
  await settled(a.store)
  await a.store.saved()
  await a.close()
  const b = await openTab()
  b.layers.insert({ id: 'pending' })
  await b.store.saved()
  const c = await openTab()
  expect(c.ids()).toEqual(['confirmed'])
  await c.close()
  await b.close()
  await core.close()
})

test('what a tab leaves behind goes to the one that has the persistence, in its order', async () => {
  const a = await openTab()
  const b = await openTab()
  b.layers.insert({ id: 'b1' })
  b.layers.insert({ id: 'b2' })
  b.layers.set('b1', 'name', 'edited')
  await b.store.saved()
  await b.close()
  expect(await a.pending((ids) => ids.length === 3)).toEqual(['b1', 'b2', 'b1'])
  expect(a.layers.get('b1')).toMatchObject({ name: 'edited' })
  expect(a.store.history.canUndo).toBe(false)
  await a.close()
})

test('when the one that has the persistence closes, the next opens it and takes over its edits; its own stay its own', async () => {
  const a = await openTab()
  const b = await openTab()
  const c = await openTab()
  a.layers.insert({ id: 'a1' })
  b.layers.insert({ id: 'b1' })
  c.layers.insert({ id: 'c1' })
  await Promise.all([a.store.saved(), b.store.saved(), c.store.saved()])
  await a.close()
  expect(await b.pending((ids) => ids.length === 2)).toEqual(['b1', 'a1'])
  c.layers.insert({ id: 'c2' })
  await c.store.saved()
  await b.close()
  expect(await c.pending((ids) => ids.length === 4)).toEqual(['c1', 'c2', 'b1', 'a1'])
  await c.close()
  const d = await openTab()
  expect((await d.pending((ids) => ids.length === 4)).toSorted()).toEqual(['a1', 'b1', 'c1', 'c2'])
  await d.close()
})

test('when the power fails after a takeover, the disk has the edits of all tabs', async () => {
  const [a, b, c] = [await openTab(), await openTab(), await openTab()]
  a.layers.insert({ id: 'a1' })
  b.layers.insert({ id: 'b1' })
  c.layers.insert({ id: 'c1' })
  await Promise.all([a.store.saved(), b.store.saved(), c.store.saved()])
  await a.close()
  await b.pending((ids) => ids.includes('a1'))
  c.layers.insert({ id: 'c2' })
  // The new holder has written its snapshot, and what the other waits for with it.
  await Promise.all([b.store.saved(), c.store.saved()])
  const { contents } = disk
  disk = new MemoryDisk()
  disk.contents = contents
  name = crypto.randomUUID()
  const d = await openTab()
  expect((await d.pending(() => true)).toSorted()).toEqual(['a1', 'b1', 'c1', 'c2'])
  for (const tab of [b, c, d]) await tab.close()
})

test('the holder closes again and again while others write: all that was committed is there in the end, once', async () => {
  const tabs = await Promise.all([openTab(), openTab(), openTab(), openTab()])
  const expected: string[] = []
  const saved: Promise<void>[] = []
  for (let round = 0; tabs.length > 0; round++) {
    for (const [n, tab] of tabs.entries())
      for (let i = 0; i < 10; i++) {
        const id = `${round} ${n} ${i}`
        tab.layers.insert({ id })
        expected.push(id)
        saved.push(tab.store.saved())
      }
    // The first that opened has the persistence, or else one that waits for it: both must do.
    await tabs.shift()!.close()
  }
  await Promise.all(saved)
  const logs = memoryLogStorage()
  const core = await openServer({ storage: { logs, snapshots: memorySnapshotStorage() } })
  const last = await openTab(acceptMux(core.accept))
  await settled(last.store)
  expect(last.ids().toSorted()).toEqual(expected.toSorted())
  await last.close()
  expect((await logged(core, logs)).toSorted()).toEqual(expected.toSorted())
})

test('what is taken over goes below an open draft, and what is committed because of it is sent as well', async () => {
  const core = await openServer()
  const first = await openTab(acceptMux(core.accept))
  first.layers.insert({ id: 'shared', name: 'before' })
  await settled(first.store)
  await first.store.saved()
  await first.close()
  const a = await openTab()
  const b = await openTab()
  const draft = a.store.draft()
  draft.table('layer').set('shared', 'name', 'drafted')
  const reacted = a.layers.row$('b1').subscribe((row) => {
    if (row && !a.layers.get('reaction')) a.layers.insert({ id: 'reaction' })
  })
  b.layers.set('shared', 'name', 'left behind')
  b.layers.insert({ id: 'b1' })
  await b.store.saved()
  await b.close()
  expect((await a.pending((ids) => ids.length === 3)).toSorted()).toEqual(['b1', 'reaction', 'shared'])
  expect(draft.table('layer').get('shared')).toMatchObject({ name: 'drafted' })
  draft.cancel()
  expect(a.layers.get('shared')).toMatchObject({ name: 'left behind' })
  reacted.unsubscribe()
  await a.close()
  const c = await openTab(acceptMux(core.accept))
  await settled(c.store)
  expect(c.layers.get('shared')).toMatchObject({ name: 'left behind' })
  expect(c.ids().toSorted()).toEqual(['b1', 'reaction', 'shared'])
  await c.close()
  await core.close()
})

test('a tab whose transactions are confirmed leaves nothing behind', async () => {
  const core = await openServer()
  const accept = acceptMux(core.accept)
  const [a, b] = [await openTab(accept), await openTab(accept)]
  b.layers.insert({ id: 'b1' })
  await settled(b.store)
  await Promise.all([a.store.saved(), b.store.saved()])
  await firstValueFrom(a.layers.row$('b1').pipe(filter(Boolean)))
  await a.store.saved()
  await b.close()
  await a.close()
  const c = await openTab()
  expect(c.ids()).toEqual(['b1'])
  expect(await c.pending(() => true)).toEqual([])
  await c.close()
  await core.close()
})

test('a persistence that can not be opened fails every tab that opens, and the next to try has it', async () => {
  const own = await disk.open()
  await expect(Promise.all([openTab(), openTab()])).rejects.toMatchObject({ code: 'persistence-in-use' })
  await own.close()
  const a = await openTab()
  a.layers.insert({ id: 'a1' })
  await a.store.saved()
  await a.close()
})

test('a disk that is full at the holder is told to the guest, whose edit is saved once there is room', async () => {
  const a = await openTab()
  const b = await openTab()
  await a.store.saved()
  await b.store.saved()
  disk.full = true
  const uncaught: unknown[] = []
  const listen = (error: unknown): void => void uncaught.push(error)
  process.on('uncaughtException', listen)
  b.layers.insert({ id: 'b1' })
  const failure = await b.store.saved().catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(PersistenceError)
  expect(failure).toMatchObject({ code: 'quota', usage: 10, quota: 10 })
  await expect.poll(() => uncaught.length).toBeGreaterThan(0)
  disk.full = false
  b.layers.insert({ id: 'b2' })
  await b.store.saved()
  process.off('uncaughtException', listen)
  await b.close()
  await a.close()
  const c = await openTab()
  expect(c.ids().toSorted()).toEqual(['b1', 'b2'])
  await c.close()
})

test('a refusal that nobody has dealt with goes to the tab that stays, and is gone once it is dealt with', async () => {
  const core = await openServer()
  const accept = acceptMux(core.accept)
  const other = await openScene(core)
  other.table('note').insert({ id: 1, slug: 'taken' })
  await settled(other)
  // Without the notes nobody here sees that it is taken.
  const [a, b] = [await openTab(accept, [{ table: 'layer' }]), await openTab(accept, [{ table: 'layer' }])]
  await Promise.all([settled(a.store), settled(b.store)])
  b.notes.insert({ id: 2, slug: 'taken' })
  const seen = await firstValueFrom(b.store.sync.rejected$.pipe(filter((list) => list.length > 0)))
  await b.store.saved()
  expect(await firstValueFrom(a.store.sync.rejected$)).toEqual([])
  await b.close()
  const [taken] = await firstValueFrom(a.store.sync.rejected$.pipe(filter((list) => list.length > 0)))
  expect(taken).toMatchObject({ id: seen[0]!.id, code: seen[0]!.code, reason: seen[0]!.reason })
  await a.store.saved()
  await a.close()
  const c = await openTab(nobody)
  const [kept] = await firstValueFrom(c.store.sync.rejected$)
  expect(kept?.id).toBe(taken!.id)
  kept!.discard()
  await c.store.saved()
  await c.close()
  const d = await openTab(nobody)
  expect(await firstValueFrom(d.store.sync.rejected$)).toEqual([])
  await d.close()
  await other.close()
  await core.close()
})

test('a refusal of what a tab left behind is there after the next start too', async () => {
  const core = await openServer()
  const other = await openScene(core)
  other.table('layer').insert({ id: 'same' })
  await settled(other)
  const [a, b] = [await openTab(), await openTab()]
  b.layers.insert({ id: 'same' })
  await b.store.saved()
  // Both go in the same moment.
  const left = disk.contents
  await Promise.all([a.close(), b.close()])
  disk = new MemoryDisk(left)
  name = crypto.randomUUID()
  const next = await openTab(acceptMux(core.accept))
  await firstValueFrom(next.store.sync.rejected$.pipe(filter((list) => list.length > 0)))
  await next.close()
  const last = await openTab(acceptMux(core.accept))
  await settled(last.store)
  expect((await firstValueFrom(last.store.sync.rejected$)).map(({ changes }) => changes.changes[0]?.key)).toEqual([
    'same',
  ])
  await Promise.all([last.close(), other.close(), core.close()])
})

test('stores without a server do not share', async () => {
  const tabs = createTabs({ name })
  const open = () =>
    createStore({ schema: sceneSchema, persistence: tabPersistence({ name, persistence: disk, tabs }) })
  const a = await open()
  await expect(open()).rejects.toMatchObject({ code: 'persistence-in-use' })
  a.table('layer').insert({ id: 'a1' })
  await a.saved()
  await a.close()
  const b = await open()
  expect(b.table('layer').all()).toHaveLength(1)
  await b.close()
  tabs.close()
})

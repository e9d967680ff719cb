import { createStore } from 'rowcast'
import { PersistenceError } from 'rowcast/persist'
import { memoryTransport } from 'rowcast/transport'
import { config, filter, firstValueFrom } from 'rxjs'
import { afterEach, expect, test } from 'vitest'
import { MemoryDisk } from '../support/memory-disk.ts'
import { openScene, openServer, sceneSchema, settled, type SceneStore } from '../support/sync-world.ts'

// Of so many rows a transaction is kept in a snapshot instead of a record.
const MANY = 5_500

afterEach(() => {
  config.onUnhandledError = null
})

function openLocal(disk: MemoryDisk) {
  return createStore({ schema: sceneSchema, persistence: disk })
}

function insertMany(store: SceneStore, from: number) {
  const rows = Array.from({ length: MANY }, (_, n) => ({ id: `l${from + n}` }))
  store.table('layer').insert(rows)
}

/** Holds back what is written until it is let go. */
function hold(disk: MemoryDisk): () => void {
  let letGo = (): void => undefined
  disk.turn = new Promise((resolve) => (letGo = resolve))
  return letGo
}

test('a second large commit while the snapshot of the first is written is kept as well', async () => {
  const disk = new MemoryDisk()
  const store = await openLocal(disk)
  await store.saved()
  const letGo = hold(disk)
  insertMany(store, 0)
  const first = store.saved()
  await Promise.resolve()
  insertMany(store, MANY)
  letGo()
  await Promise.all([first, store.saved()])
  const again = await openLocal(new MemoryDisk(disk.contents))
  expect(again.table('layer').count()).toBe(2 * MANY)
  await Promise.all([store.close(), again.close()])
})

test('a second large arrival while the snapshot of the first is written is kept as well', async () => {
  const core = await openServer()
  const open = (disk: MemoryDisk) =>
    createStore({
      schema: sceneSchema,
      persistence: disk,
      sync: { transport: memoryTransport(core.accept), database: 'scene' },
    })
  const disk = new MemoryDisk()
  const ann = await open(disk)
  const bob = await openScene(core)
  await Promise.all([settled(ann), settled(bob)])
  await ann.saved()
  const arrived = (count: number) =>
    firstValueFrom(ann.changes$.pipe(filter(() => ann.table('layer').count() === count)))
  const letGo = hold(disk)
  for (const count of [MANY, 2 * MANY]) {
    const come = arrived(count)
    insertMany(bob, count - MANY)
    await come
  }
  letGo()
  await ann.saved()
  const last = arrived(2 * MANY + 1)
  bob.table('layer').insert({ id: 'last' })
  await last
  await ann.saved()
  const again = await open(new MemoryDisk(disk.contents))
  await settled(again)
  expect(again.table('layer').count()).toBe(2 * MANY + 1)
  await Promise.all([ann.close(), bob.close(), again.close(), core.close()])
})

test('a large commit that can not be kept is not called saved, and is kept once there is room', async () => {
  const told: unknown[] = []
  config.onUnhandledError = (error) => told.push(error)
  const disk = new MemoryDisk()
  const store = await openLocal(disk)
  await store.saved()
  disk.full = true
  insertMany(store, 0)
  await expect(store.saved()).rejects.toThrow(PersistenceError)
  await expect.poll(() => told.length).toBeGreaterThan(0)
  disk.full = false
  await store.saved()
  const again = await openLocal(new MemoryDisk(disk.contents))
  expect(again.table('layer').count()).toBe(MANY)
  disk.full = true
  insertMany(store, MANY)
  const before = told.length
  await expect(store.close()).rejects.toThrow(PersistenceError)
  await expect.poll(() => told.length).toBeGreaterThan(before)
  await again.close()
})

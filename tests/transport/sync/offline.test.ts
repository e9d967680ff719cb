import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStore } from 'rowcast'
import { filePersistence } from 'rowcast/persist'
import { memoryTransport } from 'rowcast/transport'
import type { ServerCore } from 'rowcast/server'
import { config, filter, firstValueFrom } from 'rxjs'
import { afterAll, expect, test } from 'vitest'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { openScene, openServer, sceneSchema, settled } from '../../support/sync-world.ts'

const folder = mkdtempSync(join(tmpdir(), 'rowcast-offline-'))
let copies = 0
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A server that can't be reached when it is told so. */
function network(core: ServerCore): { accept: ServerCore['accept']; online: boolean } {
  const net: { online: boolean; accept: ServerCore['accept'] } = {
    online: true,
    accept: ((connection, request) => {
      if (!net.online) connection.close(4000, 'offline')
      return net.online ? core.accept(connection, request) : { receive: () => undefined, closed: () => undefined }
    }) as ServerCore['accept'],
  }
  return net
}

function openKept(accept: ServerCore['accept'], directory: string) {
  return createStore({
    schema: sceneSchema,
    sync: { transport: memoryTransport(accept), database: 'scene' },
    persistence: filePersistence({ directory }),
  })
}

const somewhere = (): string => join(folder, String(++copies))

test('what was committed offline is there after reopening, offline too, and reaches the server once', async () => {
  const core = await openServer()
  const net = network(core)
  const directory = somewhere()
  const first = await openKept(net.accept, directory)
  first.table('note').insert({ id: 1, slug: 'a' })
  await settled(first)
  await first.close()

  net.online = false
  const second = await openKept(net.accept, directory)
  expect(second.table('note').get(1)).toMatchObject({ slug: 'a' })
  second.transaction(() => second.table('note').insert({ id: 2, size: 5 }), { label: 'offline' })
  second.table('note').set(1, 'size', 7)
  await second.saved()
  await second.close()

  const third = await openKept(net.accept, directory)
  expect(third.table('note').get(2)).toMatchObject({ size: 5 })
  expect((await firstValueFrom(third.sync.pending$)).map(({ label }) => label)).toEqual(['offline', undefined])
  await third.close()

  net.online = true
  const fourth = await openKept(net.accept, directory)
  await settled(fourth)
  const bob = await openScene(core)
  await settled(bob)
  expect(bob.table('note').all()).toEqual(fourth.table('note').all())
  expect(bob.table('note').get(1)).toMatchObject({ slug: 'a', size: 7 })
  await fourth.close()
  // All confirmed: nothing is sent again.
  const fifth = await openKept(net.accept, directory)
  await settled(fifth)
  expect(fifth.sync.sequence).toBe(bob.sync.sequence)
  await Promise.all([fifth.close(), bob.close(), core.close()])
})

test('a refused transaction stays in rejected$ over reopening, until it is dealt with', async () => {
  const core = await openServer()
  const net = network(core)
  const bob = await openScene(core)
  bob.table('note').insert({ id: 1, slug: 'taken' })
  await settled(bob)
  const directory = somewhere()
  net.online = false
  const ann = await openKept(net.accept, directory)
  ann.transaction(() => ann.table('note').insert({ id: 9, slug: 'taken' }), { label: 'mine' })
  net.online = true
  await firstValueFrom(ann.sync.rejected$.pipe(filter((list) => list.length > 0)))
  expect(ann.table('note').has(9)).toBe(false)
  await ann.close()
  const again = await openKept(net.accept, directory)
  const [rejected] = await firstValueFrom(again.sync.rejected$)
  expect(rejected).toMatchObject({ label: 'mine', code: 'constraint' })
  await settled(again)
  bob.table('note').set(1, 'slug', 'free')
  await firstValueFrom(
    again
      .table('note')
      .field$(1, 'slug')
      .pipe(filter((slug) => slug === 'free')),
  )
  rejected!.retry()
  await settled(again)
  expect(again.table('note').get(9)).toMatchObject({ slug: 'taken' })
  await again.close()
  const last = await openKept(net.accept, directory)
  expect(await firstValueFrom(last.sync.rejected$)).toEqual([])
  expect(last.table('note').get(9)).toMatchObject({ slug: 'taken' })
  await Promise.all([last.close(), bob.close(), core.close()])
})

test('a store without a server keeps what was committed, not what is in drafts', async () => {
  const directory = somewhere()
  const open = () =>
    createStore({ schema: sceneSchema, data: { layer: [{ id: 'l' }] }, persistence: filePersistence({ directory }) })
  const first = await open()
  first.table('note').insert({ id: 1, layerId: 'l' })
  first.draft().table('note').set(1, 'size', 99)
  first.table('note').insert({ id: 2 })
  first.table('note').delete(2)
  await first.saved()
  await first.close()
  const second = await open()
  expect(second.table('layer').keys()).toEqual(['l'])
  expect(second.table('note').all()).toEqual([
    { id: 1, layerId: 'l', size: 10, text: { value: '', color: 'black' }, secret: false },
  ])
  await second.close()
})

test("a copy that turns out to be another user's is emptied and sends nothing, and stays for its own", async () => {
  const core = await openServer({ authenticate: ({ token }) => (token === undefined ? undefined : { id: token }) })
  const net = network(core)
  const directory = somewhere()
  let token: string | undefined = 'ann'
  const open = () =>
    createStore({
      schema: sceneSchema,
      sync: {
        transport: memoryTransport(net.accept, {
          token: () => (token === undefined ? Promise.reject(new Error('offline')) : token),
        }),
        database: 'scene',
      },
      persistence: filePersistence({ directory }),
    })
  const ann = await open()
  await settled(ann)
  net.online = false
  await ann.close()
  token = undefined
  const offline = await open()
  offline.table('note').insert({ id: 1, slug: 'hers' })
  await offline.saved()
  await offline.close()

  // Nobody can tell who it is, until the server does.
  const bob = await open()
  expect(bob.table('note').keys()).toEqual([1])
  token = 'bob'
  net.online = true
  const status = await firstValueFrom(bob.sync.status$.pipe(filter(({ state }) => state === 'closed')))
  expect(status.code).toBe('other-user')
  expect(bob.table('note').keys()).toEqual([])
  await bob.close()
  await expect(open()).rejects.toMatchObject({ code: 'other-user' })

  token = 'ann'
  const again = await open()
  await settled(again)
  expect(again.table('note').get(1)).toMatchObject({ slug: 'hers' })
  expect(await firstValueFrom(again.sync.pending$)).toEqual([])
  await again.close()
  await core.close()
})

test("what could not be kept of another user's copy before it was emptied is kept as it was then", async () => {
  const core = await openServer({ authenticate: ({ token }) => (token === undefined ? undefined : { id: token }) })
  const net = network(core)
  const disk = new MemoryDisk()
  let token: string | undefined = 'ann'
  const open = () =>
    createStore({
      schema: sceneSchema,
      sync: {
        transport: memoryTransport(net.accept, {
          token: () => (token === undefined ? Promise.reject(new Error('offline')) : token),
        }),
        database: 'scene',
      },
      persistence: disk,
    })
  const ann = await open()
  // A snapshot takes less than the records of it.
  ann.table('note').insert({ id: 1, slug: 'long'.repeat(20_000) })
  await settled(ann)
  ann.table('note').set(1, 'slug', 'hers')
  await settled(ann)
  net.online = false
  ann.table('note').insert({ id: 3, slug: 'hers too' })
  await ann.saved()
  await ann.close()

  const told: unknown[] = []
  config.onUnhandledError = (error) => told.push(error)
  token = undefined
  const bob = await open()
  disk.limit = 0
  bob.table('note').insert({ id: 2, slug: 'his' })
  await expect(bob.saved()).rejects.toMatchObject({ code: 'quota' })
  token = 'bob'
  net.online = true
  await firstValueFrom(bob.sync.status$.pipe(filter(({ state }) => state === 'closed')))
  disk.limit = disk.usage
  await bob.close()
  disk.limit = Infinity
  await expect.poll(() => told.length).toBeGreaterThan(0)
  config.onUnhandledError = null

  token = 'ann'
  const again = await open()
  await settled(again)
  expect(again.table('note').all()).toMatchObject([
    { id: 1, slug: 'hers' },
    { id: 3, slug: 'hers too' },
  ])
  expect(await firstValueFrom(again.sync.rejected$)).toMatchObject([
    { code: 'other-user', changes: { changes: [{ key: 2 }] } },
  ])
  await again.close()
  await core.close()
})

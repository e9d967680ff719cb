import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStore } from 'rowcast'
import { filePersistence } from 'rowcast/persist'
import {
  createServer,
  fileStorage,
  memoryLogStorage,
  memorySnapshotStorage,
  ServerCore,
  type Log,
  type LogStorage,
  type ServerOptions,
} from 'rowcast/server'
import { memoryTransport, type Accept } from 'rowcast/transport'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { parseValue, serializeValue } from '../../../src/changes/index.ts'
import { nobody, openScene, openServer, sceneSchema, settled, type SceneStore } from '../../support/sync-world.ts'
import { contentOf, put, RawClient } from './raw-client.ts'

let directory: string
let data: string
let errors: unknown[]
let core: ServerCore | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rowcast-histories-'))
  data = join(directory, 'data')
  errors = []
  core = undefined
  onTestFinished(async () => {
    await core?.close()
    await rm(directory, { recursive: true, force: true })
  })
})

async function serve(options: Partial<ServerOptions> = {}): Promise<ServerCore> {
  core = new ServerCore({
    schema: sceneSchema,
    storage: fileStorage(data),
    secret: 'test',
    onError: (error) => errors.push(error),
    ...options,
  })
  if (!(await core.databases.list()).includes('scene')) await core.databases.create('scene')
  return core
}

/** The server ends; what it has stored is kept as it is, or put back to how it was kept, whole or in part. */
async function keep(as: string): Promise<void> {
  await core?.close()
  await cp(data, join(directory, as), { recursive: true })
}

async function putBack(as: string, part = ''): Promise<void> {
  await core?.close()
  await rm(join(data, part), { recursive: true, force: true })
  await cp(join(directory, as, part), join(data, part), { recursive: true })
}

/** The server of the moment; without one, nobody. */
const accept: Accept = (connection, request) => (core ? core.accept(connection, request) : nobody(connection, request))

/** A network of one client that can be out of order. */
function network(): { readonly accept: Accept; down: boolean; cut(): void } {
  const open = new Set<() => void>()
  const net = {
    down: false,
    accept: ((connection, request) => {
      if (net.down) return nobody(connection, request)
      const handler = accept(connection, request)
      const cut = (): void => {
        connection.close(1006, 'cut')
        handler.closed('cut')
      }
      open.add(cut)
      return {
        receive: (text) => handler.receive(text),
        closed: (reason) => {
          open.delete(cut)
          handler.closed(reason)
        },
      }
    }) satisfies Accept,
    cut: () => {
      net.down = true
      for (const one of open) one()
    },
  }
  return net
}

async function write(store: SceneStore, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    store.table('layer').insert({ id })
    await settled(store)
  }
}

const keys = (store: SceneStore): readonly unknown[] => store.table('layer').keys()

test.each([0, 1, 2, 3, 4, 5])(
  'after the data was put back and %i entries were written, who has seen another history gets the one that is there',
  async (written) => {
    await serve()
    const net = network()
    const ann = await openScene({ accept: net.accept })
    await write(ann, 'before')
    await keep('backup')
    await serve()
    await write(ann, 'lost1', 'lost2', 'lost3')
    net.cut()
    await putBack('backup')
    await serve()
    const bob = await openScene({ accept })
    await write(bob, ...Array.from({ length: written }, (_, n) => `other${n}`))
    ann.table('layer').insert({ id: 'offline' })
    ann.table('layer').update('lost1', { name: 'more work on it' })
    net.down = false
    await settled(ann)
    await expect.poll(() => keys(bob)).toEqual(keys(ann))
    expect(keys(ann)).toContain('offline')
    expect(keys(ann)).not.toContain('lost1')
    expect(keys(ann)).toHaveLength(written + 2)
    expect(errors).toEqual([])
    await Promise.all([ann.close(), bob.close()])
  },
)

test('a copy that was kept is reset where the data was put back while it was closed', async () => {
  const open = (): Promise<SceneStore> =>
    createStore({
      schema: sceneSchema,
      persistence: filePersistence({ directory: join(directory, 'ann') }),
      sync: { transport: memoryTransport(accept), database: 'scene' },
    }) as Promise<SceneStore>
  await serve()
  let ann = await open()
  await write(ann, 'before')
  await keep('backup')
  await serve()
  await write(ann, 'lost1', 'lost2')
  await ann.close()
  await putBack('backup')
  await serve()
  const bob = await openScene({ accept })
  await write(bob, 'other1', 'other2', 'other3')
  for (let n = 0; n < 2; n++) {
    ann = await open()
    await settled(ann)
    expect(keys(ann)).toEqual(['before', 'other1', 'other2', 'other3'])
    await ann.close()
  }
  await bob.close()
})

test('what was decided on another history is refused as a conflict, whatever its number', async () => {
  await serve()
  const ann = await RawClient.enter(core!)
  await ann.commit([put(1)])
  await keep('backup')
  await serve()
  const cid = await RawClient.enter(core!)
  await cid.commit([put(2)])
  const first = cid.position
  await cid.commit([put(3)])
  const second = cid.position
  await putBack('backup')
  await serve()
  const bob = await RawClient.enter(core!)
  const own = bob.position
  const decided = (base: string): Promise<unknown> =>
    bob.commit([{ table: 'note', key: 1, op: 'update', after: { size: 1 } }], { base, reads: [{ table: 'layer' }] })
  expect(await decided(second)).toMatchObject({ type: 'refused', code: 'conflict' })
  await bob.commit([put(4)])
  for (const base of [first, second]) expect(await decided(base)).toMatchObject({ type: 'refused', code: 'conflict' })
  expect(await decided(own)).toMatchObject({ type: 'commits' })
})

test('the position of an export is of its history too, also for a state of the past', async () => {
  await serve()
  await core!.close()
  core = undefined
  const start = () => createServer({ schema: sceneSchema, storage: fileStorage(data), secret: 'test' })
  let server = start()
  const position = async (at = ''): Promise<string> => {
    const response = await server.fetch(new Request(`http://x.test/v1/databases/scene/export${at}`))
    expect(response.status).toBe(200)
    return response.headers.get('rowcast-position')!
  }
  const welcome = async (given: string): Promise<boolean> => {
    const client = new RawClient(server)
    client.hello({ position: given })
    const { reset } = await client.next('welcome')
    client.leave()
    return reset
  }
  const ann = await RawClient.enter(server)
  await ann.commit([put(1)])
  await server.close()
  await cp(data, join(directory, 'backup'), { recursive: true })
  server = start()
  const bob = await RawClient.enter(server)
  for (const id of [2, 3, 4]) await bob.commit([put(id)])
  const positions = [await position(), await position('?at=3'), await position('?at=2')] as const
  for (const one of positions) expect(await welcome(one)).toBe(false)
  await server.close()
  await rm(data, { recursive: true })
  await cp(join(directory, 'backup'), data, { recursive: true })
  server = start()
  const cid = await RawClient.enter(server)
  for (const id of [5, 6, 7, 8]) await cid.commit([put(id)])
  expect([await welcome(positions[0]), await welcome(positions[1])]).toEqual([true, true])
  // What both histories have is resumed from.
  expect(await welcome(positions[2])).toBe(false)
  await server.close()
})

test('a log put back without its snapshots goes on from an older one that fits, and the others are left out', async () => {
  await serve({ snapshotEvery: 3 })
  const ann = await openScene({ accept })
  await write(ann, 'a1', 'a2', 'a3', 'a4')
  await keep('backup')
  await serve({ snapshotEvery: 3 })
  await write(ann, 'lost1', 'lost2', 'lost3', 'lost4', 'lost5')
  await core!.close()
  await putBack('backup', 'scene/log.db')
  for (let n = 0; n < 3; n++) {
    await serve({ snapshotEvery: 1000 })
    const bob = await openScene({ accept })
    await settled(bob)
    await settled(ann)
    await write(bob, `b${n}1`, `b${n}2`, `b${n}3`)
    await expect.poll(() => keys(ann)).toEqual(keys(bob))
    expect(keys(bob)).toHaveLength(4 + 3 * (n + 1))
    expect(keys(bob).filter((key) => String(key).startsWith('lost'))).toEqual([])
    await bob.close()
    await core!.close()
  }
  expect(errors).toContainEqual(expect.objectContaining({ code: 'log' }))
  await ann.close()
})

test('snapshots and a log that have nothing in common are not opened: the error says what to restore', async () => {
  await serve({ snapshotEvery: 2, historyEntries: 2 })
  const ann = await openScene({ accept })
  await write(ann, 'a1', 'a2')
  await keep('backup')
  await serve({ snapshotEvery: 2, historyEntries: 2 })
  await write(ann, 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9')
  await keep('newer')
  await ann.close()
  for (const [whole, from, part] of [
    ['newer', 'backup', 'scene/snapshots'],
    ['backup', 'newer', 'scene/snapshots'],
    ['newer', 'backup', 'scene/log.db'],
  ] as const) {
    await putBack(whole)
    await putBack(from, part)
    await serve()
    await expect(core!.databases.use('scene')).rejects.toMatchObject({
      code: 'log',
      message: expect.stringMatching(/'scene'.*restore/s) as unknown,
    })
  }
})

/** Logs of which each opened one can be moved to another storage, as if the network led elsewhere. */
function movable(first: LogStorage): LogStorage & { moveTo(logs: LogStorage): Promise<void> } {
  let logs = first
  const opened: { log: Log; database: string }[] = []
  return {
    list: () => logs.list(),
    delete: (database) => logs.delete(database),
    open: async (database, options) => {
      const one = { log: await logs.open(database, options), database }
      opened.push(one)
      return {
        bounds: () => one.log.bounds(),
        append: (...args) => one.log.append(...args),
        read: (from, limit) => one.log.read(from, limit),
        bytes: (from, to) => one.log.bytes(from, to),
        trim: (before) => one.log.trim(before),
        close: () => one.log.close(),
      }
    },
    moveTo: async (other) => {
      logs = other
      for (const one of opened) one.log = await other.open(one.database)
    },
  }
}

async function copyOf(logs: LogStorage): Promise<LogStorage> {
  const copy = memoryLogStorage()
  const [from, to] = [await logs.open('scene'), await copy.open('scene', { create: true })]
  const payloads: string[] = []
  for await (const { payload } of from.read(1)) payloads.push(payload)
  await to.append(payloads, 0)
  return copy
}

test.each([
  ['is behind', 0],
  ['is as long', 2],
  ['has gone on', 4],
])(
  'a server whose log is another by now, which %s, confirms nothing more and opens it anew',
  async (_what, written) => {
    const [one, snapshots] = [memoryLogStorage(), memorySnapshotStorage()]
    const logs = movable(one)
    await serve({ storage: { logs, snapshots } })
    const mine = core!
    const ann = await openScene(mine)
    await write(ann, 'before')
    const two = await copyOf(one)
    const other = await openServerOn(two, snapshots)
    const bob = await openScene(other)
    await settled(bob)
    await write(ann, 'lost1', 'lost2')
    await write(bob, ...Array.from({ length: written }, (_, n) => `other${n}`))
    await logs.moveTo(two)
    ann.table('layer').insert({ id: 'next' })
    await settled(ann)
    expect(keys(ann)).toHaveLength(written + 2)
    expect(keys(ann)).toEqual(expect.arrayContaining(['before', 'next']))
    const { database, release } = await other.databases.use('scene')
    await database.follow()
    release()
    await expect.poll(() => keys(bob)).toEqual(keys(ann))
    expect(errors).toMatchObject([{ code: 'log' }])
    await Promise.all([ann.close(), bob.close()])
    await other.close()
  },
)

async function openServerOn(logs: LogStorage, snapshots: ReturnType<typeof memorySnapshotStorage>) {
  return new ServerCore({
    schema: sceneSchema,
    storage: { logs, snapshots },
    secret: 'test',
    onError: (error) => errors.push(error),
  })
}

test('a log and snapshots of before entries named their history are opened, resumed from, and go on with one', async () => {
  const [logs, snapshots] = [memoryLogStorage(), memorySnapshotStorage()]
  core = await openServer({ storage: { logs, snapshots }, secret: 'test' })
  const ann = await RawClient.enter(core)
  for (const id of [1, 2, 3]) await ann.commit([put(id)])
  await core.close()
  // As it was written then.
  const [log, old, kept] = [await logs.open('scene'), memoryLogStorage(), memorySnapshotStorage()]
  const payloads: string[] = []
  for await (const { payload } of log.read(1)) {
    const { parent: _parent, ...record } = parseValue(payload) as { readonly parent?: string }
    payloads.push(serializeValue(record))
  }
  await (await old.open('scene', { create: true })).append(payloads, 0)
  for (const { sequence, at } of await snapshots.list('scene'))
    if (sequence < 3) await kept.put('scene', { sequence, at }, (await snapshots.get('scene', sequence))!)
  let position: string | undefined
  for (let n = 0; n < 3; n++) {
    await serve({ storage: { logs: old, snapshots: kept } })
    expect(Object.keys(await contentOf(core!))).toHaveLength(3 + n)
    const bob = new RawClient(core!)
    bob.hello({ ...(position !== undefined && { position }) })
    expect(await bob.next('welcome')).toMatchObject({ reset: position === undefined })
    await bob.commit([put(10 + n)])
    position = bob.position
    bob.leave()
    await core!.close()
  }
  expect(errors).toEqual([])
})

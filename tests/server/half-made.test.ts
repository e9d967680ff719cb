import { randomUUID } from 'node:crypto'
import { defineSchema } from 'rowcast'
import {
  fileStorage,
  memoryStorage,
  s3Storage,
  ServerCore,
  type Log,
  type LogStorage,
  type SnapshotStorage,
  type Storage,
} from 'rowcast/server'
import { describe, expect, test } from 'vitest'
import { Bucket, prepareS3 } from '../support/s3-seat.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    note: { primaryKey: 'id', schema: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] } },
  },
} as const)

const seat = prepareS3()

/** Storage as a server finds it that begins anew. */
const STORAGES: Record<string, () => Promise<() => Storage>> = {
  memory: async () => {
    const storage = memoryStorage()
    return () => storage
  },
  files: async () => {
    const folder = await seat.makeFolder()
    return () => fileStorage(folder)
  },
  bucket: async () => {
    const { url, credentials } = seat.server
    const prefix = randomUUID()
    return () => s3Storage({ url: `s3://${Bucket}/${prefix}`, endpoint: url, credentials, shards: 1 })
  },
}

/** What a database is made from, and the ids of its notes then. */
const MAKINGS: Record<string, { from: (core: ServerCore) => Promise<From>; notes: readonly number[] }> = {
  create: { from: async () => undefined, notes: [] },
  import: {
    from: (core) => withOrigin(core, async ({ store }) => ({ file: store.export() })),
    notes: [1],
  },
  fork: { from: (core) => withOrigin(core, (database) => database.fork(undefined)), notes: [1] },
}

type From = Parameters<ServerCore['databases']['create']>[1]
type Database = Awaited<ReturnType<ServerCore['databases']['use']>>['database']

/** What a killed server does no more. */
class Killed extends Error {}

/** The server is killed at its `n`th call of the storage for the database, once armed: nothing that follows happens. */
class Mortal implements Storage {
  readonly logs: LogStorage
  readonly snapshots: SnapshotStorage
  left = Number.POSITIVE_INFINITY
  constructor(storage: Storage) {
    const { logs, snapshots } = storage
    this.snapshots = this.#mortal(snapshots)
    this.logs = {
      ...this.#mortal(logs),
      open: async (database, options) => {
        this.#call()
        return this.#mortal(await logs.open(database, options))
      },
    }
  }

  #call(): void {
    if (--this.left < 0) throw new Killed('killed')
  }

  /** The same object, of which each call counts; what is closed is closed by the end of a process as well. */
  #mortal<Target extends LogStorage | SnapshotStorage | Log>(target: Target): Target {
    const names = ['open', 'bounds', 'append', 'read', 'bytes', 'trim', 'list', 'delete', 'put', 'get']
    const calls = names.flatMap((name) => {
      const call: unknown = Reflect.get(target, name)
      if (typeof call !== 'function') return []
      return [
        [
          name,
          (...given: unknown[]): unknown => {
            this.#call()
            return Reflect.apply(call, target, given)
          },
        ],
      ]
    })
    const close: unknown = Reflect.get(target, 'close')
    return {
      ...Object.fromEntries(calls),
      ...(typeof close === 'function' && { close: () => Reflect.apply(close, target, []) as unknown }),
    } as Target
  }
}

async function serve<Result>(storage: Storage, task: (core: ServerCore) => Promise<Result>): Promise<Result> {
  const core = new ServerCore({ schema, storage, secret: 'test', onError: () => undefined })
  try {
    return await task(core)
  } finally {
    await core.close()
  }
}

async function withOrigin<Result>(core: ServerCore, task: (database: Database) => Promise<Result>): Promise<Result> {
  const { database, release } = await core.databases.use('origin')
  try {
    return await task(database)
  } finally {
    release()
  }
}

async function makeOrigin(core: ServerCore): Promise<void> {
  await core.databases.create('origin')
  const { database, release } = await core.databases.use('origin')
  const outcome = await database.submit(
    { id: 't', changes: [{ table: 'note', key: 1, op: 'put', after: { id: 1 } }] },
    { access: core.access(database, undefined) },
  )
  expect(outcome).toMatchObject({ kind: 'committed' })
  release()
}

async function notesOf(core: ServerCore, name: string): Promise<unknown> {
  const { database, release } = await core.databases.use(name)
  try {
    return database.store.table('note').keys()
  } finally {
    release()
  }
}

/** How a call ends: with what, or with which code of an error. */
function endOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (result) => result ?? 'done',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  )
}

/** Kills a server at a call of its storage, and says whether the making was acknowledged before. */
function kill(storage: Storage, at: number, make: (core: ServerCore) => Promise<unknown>): Promise<boolean> {
  const mortal = new Mortal(storage)
  return serve(mortal, async (core) => {
    mortal.left = at
    try {
      await make(core)
      return true
    } catch (error) {
      if (error instanceof Killed) return false
      throw error
    } finally {
      mortal.left = Number.POSITIVE_INFINITY
    }
  })
}

describe.each(Object.keys(STORAGES))('on %s', (kind) => {
  test.each(Object.keys(MAKINGS))(
    'a server that is killed within the making (%s) leaves a name that can be opened, or made, and deleted',
    async (making) => {
      const storage = await STORAGES[kind]!()
      const { from, notes } = MAKINGS[making]!
      const given = await serve(storage(), async (core) => {
        await makeOrigin(core)
        return from(core)
      })
      for (let at = 0, acknowledged = false; !acknowledged; at++) {
        expect(at).toBeLessThan(100)
        for (const then of ['use', 'delete', 'kill'] as const) {
          const name = `${then}-${at}`
          const where = `killed at call ${at}, then ${then}`
          // The bytes of what it is made from are given away.
          const make = (core: ServerCore): Promise<unknown> => core.databases.create(name, structuredClone(given))
          acknowledged = await kill(storage(), at, make)
          if (then === 'kill' && !acknowledged)
            expect(await endOf(kill(storage(), at, make)), where).toSatisfy((end) => end === false || end === 'exists')
          await serve(storage(), async (core) => {
            if (then === 'delete') {
              const end = (await core.databases.list()).includes(name) ? 'done' : 'unknown-database'
              expect(await endOf(core.databases.delete(name)), where).toBe(end)
              expect(await core.databases.list(), where).not.toContain(name)
            }
            const found = await endOf(notesOf(core, name))
            if (acknowledged && then !== 'delete') expect(found, where).toEqual(notes)
            else expect([notes, 'unknown-database'], where).toContainEqual(found)
            const made = await endOf(make(core))
            if (found === 'unknown-database') expect(made, where).toBeTypeOf('number')
            else expect(made, where).toBe('exists')
            expect(await notesOf(core, name), where).toEqual(notes)
            expect(await core.databases.list(), where).toContain(name)
          })
          // As it was said.
          expect(await serve(storage(), (core) => notesOf(core, name)), where).toEqual(notes)
        }
      }
    },
    120_000,
  )
})

test('a database that has lost its snapshots, and has transactions, is refused as one that is damaged', async () => {
  const storage = memoryStorage()
  await serve(storage, makeOrigin)
  await storage.snapshots.delete('origin')
  await serve(storage, async (core) => {
    expect(await endOf(core.databases.use('origin'))).toBe('log')
    expect(await endOf(core.databases.create('origin'))).toBe('exists')
    expect(await core.databases.list()).toEqual(['origin'])
  })
})

test('of two servers that make one database at once no two succeed, and what was said to be made stays', async () => {
  const storage = memoryStorage()
  const cores = [0, 1].map(() => new ServerCore({ schema, storage, secret: 'test' }))
  const ends = await Promise.all(cores.map((core) => endOf(core.databases.create('made'))))
  expect(ends.filter((end) => typeof end === 'number').length).toBeLessThan(2)
  expect(ends.filter((end) => typeof end !== 'number' && end !== 'exists')).toEqual([])
  for (const core of cores) {
    expect(await notesOf(core, 'made')).toEqual([])
    await core.close()
  }
})

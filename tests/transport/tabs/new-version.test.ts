import { createStore, defineSchema, type Schema, type SchemaInput } from 'rowcast'
import { memoryLogStorage, memorySnapshotStorage, ServerCore } from 'rowcast/server'
import { createTabs } from 'rowcast/tabs'
import { acceptMux, memoryTransport, tabPersistence, tabTransport } from 'rowcast/transport'
import { filter, firstValueFrom, map } from 'rxjs'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { nobody, settled } from '../../support/sync-world.ts'

const text = { type: 'string' } as const
const table = { primaryKey: 'id', unique: [['slug']] } as const
const other = { primaryKey: 'id', schema: { type: 'object', required: ['id'], properties: { id: text } } } as const
const schemas: readonly Schema[] = [
  {
    version: 1,
    tables: {
      other,
      layer: {
        ...table,
        schema: { type: 'object', required: ['id'], properties: { id: text, name: text, slug: text } },
      },
    },
  },
  {
    version: 2,
    tables: {
      other,
      sheet: {
        ...table,
        renamedFrom: 'layer',
        renames: { title: 'name' },
        schema: {
          type: 'object',
          required: ['id'],
          additionalProperties: false,
          properties: { id: text, title: text, slug: text },
        },
      },
    },
  },
].map((input) => defineSchema<SchemaInput>(input as unknown as SchemaInput))

type Version = 1 | 2
const names = { 1: { rows: 'layer', title: 'name' }, 2: { rows: 'sheet', title: 'title' } } as const

/** Tabs of one origin before and after a deployment, offline unless they are given a server. */
function origin() {
  const storage = { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() }
  let name: string = crypto.randomUUID()
  let disk = new MemoryDisk()
  const serve = (version: Version): ServerCore =>
    new ServerCore({ schema: schemas[version - 1]!, secret: 'test', storage })
  const open = async (version: Version, core?: ServerCore) => {
    const tabs = createTabs({ name, silenceMs: 400 })
    const store = await createStore({
      schema: schemas[version - 1]!,
      sync: {
        transport: tabTransport({
          name: `${name} ${version}`,
          transport: () => memoryTransport(core ? acceptMux(core.accept) : nobody),
          tabs,
        }),
        database: 'scene',
        // Without rows nobody here sees which slugs are taken.
        subscribe: [{ table: 'other' }],
      },
      persistence: tabPersistence({ name, persistence: disk, tabs }),
    })
    const { rows, title } = names[version]
    return {
      store,
      insert: (id: string, more: object = {}) => store.table(rows).insert({ id, [title]: `by ${version}`, ...more }),
      rows: (): object =>
        Object.fromEntries<unknown>(
          store
            .table(rows)
            .all()
            .map((row) => [row['id'] as string, row[title]]),
        ),
      /** Once so many are pending. */
      pending: (count: number) =>
        firstValueFrom(
          store.sync.pending$.pipe(
            filter((list) => list.length === count),
            map((list) => list.map(({ hidden }) => hidden)),
          ),
        ),
      close: async () => {
        await store.saved()
        await store.close()
        tabs.close()
      },
    }
  }
  return {
    serve,
    open,
    opened: (count: number) => expect.poll(() => disk.opens).toBe(count),
    /** All tabs are killed at once: what is on the disk is all there is. */
    kill: () => {
      disk = new MemoryDisk(disk.contents)
      name = crypto.randomUUID()
    },
  }
}

type Origin = ReturnType<typeof origin>

/** What was done offline by tabs of both versions, by whichever way it comes to a tab of the newer one. */
const paths: readonly {
  readonly way: string
  readonly walk: (origin: Origin) => Promise<Awaited<ReturnType<Origin['open']>>>
  readonly expected: readonly (readonly [id: string, by: Version])[]
}[] = [
  {
    way: 'the one tab was closed',
    walk: async ({ open }) => {
      const a = await open(1)
      a.insert('a')
      await a.close()
      return open(2)
    },
    expected: [['a', 1]],
  },
  {
    way: 'two tabs were closed, the holder first',
    walk: async ({ open }) => {
      const [a, b] = [await open(1), await open(1)]
      a.insert('a')
      b.insert('b')
      await Promise.all([a.store.saved(), b.store.saved()])
      await a.close()
      await b.close()
      return open(2)
    },
    expected: [
      ['a', 1],
      ['b', 1],
    ],
  },
  {
    way: 'two tabs were killed',
    walk: async ({ open, kill }) => {
      const [a, b] = [await open(1), await open(1)]
      a.insert('a')
      b.insert('b')
      await Promise.all([a.store.saved(), b.store.saved()])
      kill()
      return open(2)
    },
    expected: [
      ['a', 1],
      ['b', 1],
    ],
  },
  {
    way: 'the holder is loaded anew, then the other goes',
    walk: async ({ open, opened }) => {
      const [a, b] = [await open(1), await open(1)]
      a.insert('a')
      b.insert('b')
      await Promise.all([a.store.saved(), b.store.saved()])
      await a.close()
      await opened(2)
      const after = await open(2)
      after.insert('c')
      await after.store.saved()
      await b.close()
      await after.pending(3)
      return after
    },
    expected: [
      ['a', 1],
      ['b', 1],
      ['c', 2],
    ],
  },
  {
    way: 'the other is loaded anew, then the holder goes',
    walk: async ({ open }) => {
      const [a, b] = [await open(1), await open(1)]
      a.insert('a')
      b.insert('b')
      await Promise.all([a.store.saved(), b.store.saved()])
      await b.close()
      await a.pending(2)
      const after = await open(2)
      after.insert('c')
      await after.store.saved()
      await a.close()
      await after.pending(3)
      return after
    },
    expected: [
      ['a', 1],
      ['b', 1],
      ['c', 2],
    ],
  },
  {
    way: 'an old guest writes beside a new holder, and goes',
    walk: async ({ open, opened }) => {
      const a = await open(1)
      const after = await open(2)
      const old = await open(1)
      await a.close()
      await opened(2)
      await after.store.saved()
      old.insert('old')
      await old.store.saved()
      after.insert('new')
      await after.store.saved()
      await old.close()
      await after.pending(2)
      return after
    },
    expected: [
      ['new', 2],
      ['old', 1],
    ],
  },
  {
    way: 'an old guest and the new holder that it writes beside are killed',
    walk: async ({ open, opened, kill }) => {
      const a = await open(1)
      const after = await open(2)
      const old = await open(1)
      await a.close()
      await opened(2)
      after.insert('new')
      await after.store.saved()
      old.insert('old')
      await old.store.saved()
      kill()
      return open(2)
    },
    expected: [
      ['new', 2],
      ['old', 1],
    ],
  },
  {
    way: 'an old tab comes to hold what a new one has kept',
    walk: async ({ open, opened }) => {
      const a = await open(1)
      const after = await open(2)
      const old = await open(1)
      await a.close()
      await opened(2)
      after.insert('new')
      await after.close()
      await opened(3)
      old.insert('old')
      await old.store.saved()
      // More than a record takes: it would write a snapshot.
      for (let n = 0; n < 3; n++) old.insert(`old ${n}`)
      await old.close()
      return open(2)
    },
    expected: [
      ['new', 2],
      ['old', 1],
      ['old 0', 1],
      ['old 1', 1],
      ['old 2', 1],
    ],
  },
  {
    way: 'a new tab opens beside an old one that holds what a new one has kept',
    walk: async ({ open, opened }) => {
      const a = await open(1)
      const after = await open(2)
      const old = await open(1)
      await a.close()
      await opened(2)
      after.insert('new')
      await after.close()
      await opened(3)
      old.insert('old')
      await old.store.saved()
      const last = await open(2)
      last.insert('last')
      await last.store.saved()
      await old.close()
      await last.pending(3)
      return last
    },
    expected: [
      ['last', 2],
      ['new', 2],
      ['old', 1],
    ],
  },
  {
    way: 'a new guest leaves its work to an old holder',
    walk: async ({ open }) => {
      const a = await open(1)
      a.insert('a')
      const after = await open(2)
      after.insert('new')
      await after.close()
      // It can't show what is of a newer version, and keeps it.
      expect((await a.pending(2)).filter(Boolean)).toHaveLength(1)
      await a.close()
      return open(2)
    },
    expected: [
      ['a', 1],
      ['new', 2],
    ],
  },
]

test.for(paths)('what tabs did offline goes over to a new version of the schema: $way', async ({ walk, expected }) => {
  const world = origin()
  const before = world.serve(1)
  await before.databases.create('scene')
  await before.close()
  const last = await walk(world)
  const rows = Object.fromEntries(expected.map(([id, by]) => [id, `by ${by}`]))
  expect(last.rows()).toEqual(rows)
  expect(await last.pending(expected.length)).toEqual(expected.map(() => false))
  await last.close()
  const core = world.serve(2)
  const online = await world.open(2, core)
  await settled(online.store)
  expect(await firstValueFrom(online.store.sync.rejected$)).toEqual([])
  const { database } = await core.databases.use('scene')
  expect(
    Object.fromEntries(
      database.store
        .table('sheet')
        .all()
        .map((row) => [row['id'], row['title']]),
    ),
  ).toEqual(rows)
  await online.close()
  await core.close()
})

test.for(['closed', 'killed', 'outlived'] as const)(
  'what was refused under the version before can be done again under the new one: the tab that has it is %s',
  async (end) => {
    const world = origin()
    const before = world.serve(1)
    await before.databases.create('scene')
    const { database } = await before.databases.use('scene')
    database.store.table('layer').insert({ id: 'first', slug: 'taken' })
    const [a, b] = [await world.open(1, before), await world.open(1, before)]
    await Promise.all([settled(a.store), settled(b.store)])
    b.insert('refused', { slug: 'taken' })
    await firstValueFrom(b.store.sync.rejected$.pipe(filter((list) => list.length > 0)))
    await Promise.all([a.store.saved(), b.store.saved()])
    await before.close()
    let after: Awaited<ReturnType<Origin['open']>>
    if (end === 'closed') {
      await a.close()
      await b.close()
      after = await world.open(2)
    } else if (end === 'killed') {
      world.kill()
      after = await world.open(2)
    } else {
      after = await world.open(2)
      await b.close()
      await a.close()
    }
    const [rejected] = await firstValueFrom(after.store.sync.rejected$.pipe(filter((list) => list.length > 0)))
    expect(rejected).toMatchObject({ changes: { changes: [{ table: 'sheet', key: 'refused' }] } })
    rejected!.retry()
    expect(after.rows()).toMatchObject({ refused: 'by 1' })
    await after.close()
    await (end === 'killed' ? Promise.all([a, b].map(({ store }) => store.close().catch(() => undefined))) : undefined)
  },
)

test('an old tab that opens beside a new one says what to do', async () => {
  const { open } = origin()
  const a = await open(2)
  a.insert('a')
  await a.store.saved()
  await expect(open(1)).rejects.toThrow(/version 2/)
  await a.close()
})

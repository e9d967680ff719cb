import { createStore, defineSchema, type Schema, type SchemaInput, type Store } from 'rowcast'
import type { ServerCore } from 'rowcast/server'
import { memoryTransport } from 'rowcast/transport'
import { firstValueFrom } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { keptScene } from '../support/kept-scene.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { nobody, settled } from '../support/sync-world.ts'

const id = { type: 'string' } as const
const name = { type: 'string', default: '' } as const
const size = { type: 'number', maximum: 100 } as const
const type = 'object'
const required = ['id'] as const

const first = defineSchema({
  version: 1,
  tables: { layer: { primaryKey: 'id', schema: { type, required, properties: { id, name, size } } } },
})

/** Later versions of the schema, and what the rows of `layer` are called in them. */
const versions: readonly {
  readonly what: string
  readonly input: SchemaInput
  readonly table: string
  readonly title: string
}[] = [
  {
    what: 'a property came',
    input: {
      version: 2,
      tables: { layer: { primaryKey: 'id', schema: { type, required, properties: { id, name, size, more: name } } } },
    },
    table: 'layer',
    title: 'name',
  },
  {
    what: 'the table has another name',
    input: {
      version: 2,
      tables: {
        sheet: {
          primaryKey: 'id',
          renamedFrom: 'layer',
          schema: { type, required, additionalProperties: false, properties: { id, name, size } },
        },
      },
    },
    table: 'sheet',
    title: 'name',
  },
  ...[true, false].map((additionalProperties) => ({
    what: `a property has another name, others ${additionalProperties ? 'allowed' : 'forbidden'}`,
    input: {
      version: 2,
      tables: {
        layer: {
          primaryKey: 'id',
          renames: { title: 'name' },
          schema: { type, required, additionalProperties, properties: { id, title: name, size } },
        },
      },
    } as const,
    table: 'layer',
    title: 'title',
  })),
]

/** In a function, as what no rename says. */
const byFunction = {
  version: 2,
  tables: {
    layer: {
      primaryKey: 'id',
      schema: { type, required, additionalProperties: false, properties: { id, title: name, size } },
    },
  },
  migrations: {
    2: (db) => {
      for (const { row } of db.refused('layer')) {
        const { id: key, name: title } = row as { readonly id: string; readonly name: string }
        db.insert('layer', { id: key, title })
      }
    },
  },
} as const satisfies SchemaInput

const rowsOf = (store: Store, table: string): readonly object[] => store.table(table).all()
const defined = (input: SchemaInput): Schema => defineSchema(input)

describe('a store without a server, kept by an older version of the schema', () => {
  test.for(versions)('has all that was committed: $what', async ({ input, table, title }) => {
    const disk = new MemoryDisk()
    const before = await createStore({ schema: first, persistence: disk })
    await before.saved()
    before.table('layer').insert({ id: 'a', name: 'A' })
    before.table('layer').insert({ id: 'b', name: 'B', size: 7 })
    before.table('layer').set('a', 'name', 'edited')
    await before.saved()
    await before.close()
    const expected = [
      { id: 'a', [title]: 'edited' },
      { id: 'b', [title]: 'B', size: 7 },
    ]
    // Twice: what the first opening has written is what the second one reads.
    for (let n = 0; n < 2; n++) {
      const store = await createStore({ schema: defined(input), persistence: disk })
      expect(rowsOf(store, table)).toMatchObject(expected)
      await store.saved()
      await store.close()
    }
  })
})

test('what is committed after an upgrade is not laid over what was kept before it', async () => {
  const disk = new MemoryDisk()
  const before = await createStore({
    schema: first,
    persistence: disk,
    data: { layer: [{ id: 'a', name: 'A' }] },
  })
  await before.saved()
  await before.close()
  expect(disk.contents.records).toEqual([])
  const renamed = versions.find(({ table }) => table === 'sheet')!
  for (const expected of [{ name: 'A' }, { name: 'edited 0' }, { name: 'edited 1' }]) {
    const store = await createStore({ schema: defined(renamed.input), persistence: disk })
    expect(rowsOf(store, 'sheet')).toMatchObject([{ id: 'a', ...expected }])
    store.table('sheet').set('a', 'name', `edited ${expected.name === 'A' ? 0 : 1}`)
    await store.saved()
    await store.close()
  }
})

describe('a copy that an older version of the schema has kept', () => {
  async function upgraded(input: SchemaInput, options: { readonly acknowledged?: boolean } = {}) {
    const { disk, serve, open } = keptScene()
    const before = serve(defined(first.definition))
    await before.databases.create('scene')
    const old = await open(defined(first.definition), before)
    await settled(old)
    old.table('layer').insert({ id: 'confirmed', name: 'C' })
    await settled(old)
    await old.saved()
    let left = disk.contents
    if (!options.acknowledged) await before.close()
    old.transaction(
      () => {
        old.table('layer').insert({ id: 'offline', name: 'O' })
        old.table('layer').set('confirmed', 'name', 'edited')
      },
      { label: 'offline' },
    )
    if (options.acknowledged) {
      // Kept, sent and applied; that it was applied was not kept.
      const { records } = left
      await settled(old)
      await old.saved()
      left = { ...left, records: disk.contents.records.slice(0, records.length + 1) }
      await before.close()
    } else {
      await old.saved()
      left = disk.contents
    }
    await old.close()
    disk.contents = left
    const schema = defined(input)
    return { disk, serve: () => serve(schema), open: (core?: ServerCore) => open(schema, core) }
  }

  test.for(versions)('shows and sends what was committed: $what', async ({ input, table, title }) => {
    const { serve, open } = await upgraded(input)
    const expected = [
      { id: 'confirmed', [title]: 'edited' },
      { id: 'offline', [title]: 'O' },
    ]
    const offline = await open()
    expect(rowsOf(offline, table)).toMatchObject(expected)
    await offline.saved()
    await offline.close()
    const core = serve()
    const store = await open(core)
    await settled(store)
    expect(rowsOf(store, table)).toMatchObject(expected)
    expect(await firstValueFrom(store.sync.rejected$)).toEqual([])
    const { database } = await core.databases.use('scene')
    expect(rowsOf(database.store, table)).toMatchObject(expected)
    await store.close()
    await core.close()
  })

  test('shows what a tab of the newer version has kept beside it', async () => {
    const { input, table, title } = versions.at(-1)!
    const { disk, open } = await upgraded(input)
    const id = crypto.randomUUID()
    const after = { id: 'two', [title]: 'Two' }
    const commit = {
      type: 'commit',
      id,
      set: { changes: [{ table, key: 'two', op: 'insert', before: {}, after }], origin: 'local' },
      wire: { id, changes: [{ table, key: 'two', op: 'put', after }] },
      version: 2,
    }
    const record = new TextEncoder().encode(JSON.stringify({ type: 'tab', tab: 'another', record: commit }))
    disk.contents = { ...disk.contents, records: [...disk.contents.records, record] }
    const store = await open()
    expect(rowsOf(store, table).at(-1)).toMatchObject(after)
    expect((await firstValueFrom(store.sync.pending$)).map(({ hidden }) => hidden)).toEqual([false, false])
    await store.close()
  })

  test('gives back what can not be said in the new terms', async () => {
    const { serve, open } = await upgraded(byFunction)
    const offline = await open()
    expect(rowsOf(offline, 'layer')).toMatchObject([{ id: 'confirmed', title: 'C' }])
    expect(await firstValueFrom(offline.sync.pending$)).toMatchObject([{ label: 'offline', hidden: true }])
    await offline.saved()
    await offline.close()
    const core = serve()
    const store = await open(core)
    await settled(store)
    expect(await firstValueFrom(store.sync.rejected$)).toMatchObject([
      { label: 'offline', code: 'schema-version', reason: expect.stringContaining('version 1') as string },
    ])
    // Its words are of another version: neither now nor after reopening can it be committed as it is.
    await store.close()
    const again = await open(core)
    await settled(again)
    const [rejected] = await firstValueFrom(again.sync.rejected$)
    expect(() => rejected!.retry()).toThrow(/version 1 of the schema/)
    expect(await firstValueFrom(again.sync.rejected$)).toHaveLength(1)
    rejected!.discard()
    expect(await firstValueFrom(again.sync.rejected$)).toEqual([])
    await again.close()
    await core.close()
  })

  test('is read without a trace by a store that is read-only', async () => {
    const disk = new MemoryDisk()
    const before = await createStore({ schema: first, persistence: disk })
    await before.saved()
    before.table('layer').insert({ id: 'a', name: 'A' })
    await before.saved()
    await before.close()
    const { contents } = disk
    const store = await createStore({ schema: defined(versions[0]!.input), persistence: disk, readOnly: true })
    expect(rowsOf(store, 'layer')).toMatchObject([{ id: 'a', name: 'A' }])
    await store.close()
    expect(disk.contents).toEqual(contents)
  })

  test('does not call refused what the server had applied before', async () => {
    const { serve, open } = await upgraded(byFunction, { acknowledged: true })
    const core = serve()
    const store = await open(core)
    await settled(store)
    expect(await firstValueFrom(store.sync.rejected$)).toEqual([])
    expect(rowsOf(store, 'layer')).toMatchObject([
      { id: 'confirmed', title: 'edited' },
      { id: 'offline', title: 'O' },
    ])
    await store.close()
    await core.close()
  })
})

describe('what was kept otherwise', () => {
  const sync = () => ({
    transport: memoryTransport(nobody),
    database: 'scene',
  })

  test.for([
    { what: 'without a server, opened with one', kept: false },
    { what: 'with a server, opened without', kept: true },
  ])('$what, is refused and left as it is', async ({ kept }) => {
    const disk = new MemoryDisk()
    const store = await createStore({ schema: first, persistence: disk, ...(kept && { sync: sync() }) })
    await store.saved()
    store.table('layer').insert({ id: 'a' })
    await store.saved()
    await store.close()
    const { contents } = disk
    await expect(createStore({ schema: first, persistence: disk, ...(!kept && { sync: sync() }) })).rejects.toThrow(
      /what is kept there is of a store/,
    )
    expect(disk.contents).toEqual(contents)
  })
})

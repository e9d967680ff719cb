import { createStore, defineSchema, type Conflict, type RowChange } from 'rowcast'
import { expect, test } from 'vitest'
import { internals } from '../../src/store/index.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    layer: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
    },
    item: {
      primaryKey: 'id',
      references: {
        kept: { table: 'layer', onDelete: 'restrict' },
        along: { table: 'layer', onDelete: 'cascade' },
        cleared: { table: 'layer', onDelete: 'setNull' },
        'style.layer': { table: 'layer', onDelete: 'setNull' },
      },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          kept: { type: 'string' },
          along: { type: 'string' },
          cleared: { type: 'string' },
          style: { type: 'object', properties: { layer: { type: 'string' }, width: { type: 'integer' } } },
        },
      },
    },
  },
} as const)

const data = { layer: [{ id: 'l' }, { id: 'm' }], item: [{ id: 'i' }] }

const open = async (rows: typeof data | { layer: object[]; item: object[] } = data) => {
  const store = await createStore({ schema, data: rows as typeof data })
  return {
    store,
    layers: store.table('layer'),
    items: store.table('item'),
    below: store.draft(),
    above: store.draft(),
    arrive: internals(store as never).applyRemote,
  }
}

const fileOf = async (rows: { layer: object[]; item: object[] }): Promise<Uint8Array> => {
  const { store } = await open(rows)
  const bytes = store.export()
  await store.close()
  return bytes
}

const gone: RowChange = { table: 'layer', key: 'l', op: 'delete', before: { id: 'l' }, after: {} }
const references = ['kept', 'along', 'cleared', 'style.layer'] as const

test.each(references)('a remote delete takes a reference (%s) from a draft that another draft hides', async (path) => {
  for (const hide of ['value', 'row'] as const) {
    const { store, layers, items, below, above, arrive } = await open()
    const conflicts: (readonly Conflict[])[] = []
    below.conflicts$.subscribe((now) => conflicts.push(now))
    below.table('item').set('i', path, 'l')
    if (hide === 'row') above.table('item').delete('i')
    else above.table('item').set('i', path, 'm')
    arrive({ changes: [gone] })
    expect(conflicts.at(-1)).toMatchObject([{ table: 'item', key: 'i', path, mine: 'l', theirs: undefined }])
    above.cancel()
    expect(below.changes().changes.flatMap(({ after }) => Object.values(after))).not.toContain('l')
    below.cancel()
    expect([layers.all(), items.all()]).toEqual([[{ id: 'm' }], [{ id: 'i' }]])
    await store.close()
  }
})

test('a remote delete leaves a draft below what refers to another row', async () => {
  const { store, items, below, above, arrive } = await open()
  below.table('item').set('i', 'kept', 'm')
  above.table('item').set('i', 'kept', 'l')
  arrive({ changes: [gone] })
  expect(items.get('i')).toEqual({ id: 'i', kept: 'm' })
  await store.close()
})

test('a draft loses an object whose reference goes, where the same lies below it', async () => {
  const { store, items, below, above, arrive } = await open()
  below.table('item').set('i', 'style', { layer: 'l' })
  const server = await open()
  server.store.commits$.subscribe((set) => arrive(set))
  server.items.set('i', 'style.layer', 'l')
  server.layers.delete('l')
  expect(items.get('i')).toEqual({ id: 'i', style: {} })
  above.table('item').delete('i')
  above.cancel()
  below.cancel()
  expect(items.get('i')).toEqual({ id: 'i', style: {} })
  await server.store.close()
  await store.close()
})

test.each(references)('an import replaces what is committed, not what a draft shows (%s)', async (path) => {
  const row = path === 'style.layer' ? { id: 'i', style: { layer: 'l' } } : { id: 'i', [path]: 'l' }
  const bytes = await fileOf({ layer: [{ id: 'm' }], item: [{ id: 'i' }] })
  for (const edit of ['value', 'row'] as const) {
    const { store, layers, items, below } = await open({ ...data, item: [row] })
    if (edit === 'row') below.table('item').delete('i')
    else below.table('item').reset('i', path)
    store.import(bytes)
    below.cancel()
    expect(layers.all()).toEqual([{ id: 'm' }])
    expect(items.get('i')).toMatchObject({ id: 'i' })
    expect(JSON.stringify(items.get('i'))).not.toContain('"l"')
    await store.close()
  }
})

test('an import takes and brings rows that a draft has deleted, and values that a draft has put', async () => {
  const { store, layers, items, below } = await open()
  below.table('item').set('i', 'kept', 'm')
  below.table('layer').delete('l')
  store.import(await fileOf({ layer: [{ id: 'l' }, { id: 'm' }], item: [{ id: 'i', kept: 'm' }] }))
  expect(below.changes().changes).toMatchObject([{ table: 'layer', key: 'l', op: 'delete' }])
  store.import(await fileOf({ layer: [{ id: 'm' }], item: [{ id: 'i', kept: 'm' }] }))
  below.cancel()
  expect([layers.all(), items.all()]).toEqual([[{ id: 'm' }], [{ id: 'i', kept: 'm' }]])
  await store.close()
})

import { createStore, defineSchema, sql, StoreClosedError } from 'rowcast'
import type { Observable } from 'rxjs'
import { expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, rank: { type: 'integer', default: 0 } },
      },
    },
    scene: { singleton: true, schema: { type: 'object', properties: { zoom: { type: 'number', default: 1 } } } },
  },
})

/** Everything that a closed store, and what was got from it, still has: what names it, and what has nothing left to do. */
const STILL = {
  store: ['schema', 'tables', 'readOnly', 'history', 'closed', 'close'],
  table: ['name'],
  value: ['name'],
  draft: ['id', 'label', 'state', 'cancel'],
  history: [],
  live: ['rows$', 'diff$', 'close'],
}

/** Not for callers: how the parts of a store know each other. */
const INSIDE = [
  'constructor',
  'engine',
  'internals',
  'startSync',
  'keep',
  'assertUsable',
  'layer',
  'stacks',
  'conflict',
  'touched',
  'draftEnded',
  'rowOf',
  'record',
  'refused',
  'start',
]

function membersOf(object: object): string[] {
  const names = new Set<string>()
  for (let at: object = object; at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
  return [...names].filter((name) => !INSIDE.includes(name))
}

describeEachDriver('a store that was closed', (driver) => {
  // The state of a store, with one of everything that can be got from it.
  const open = async () => {
    const store = await createStore({ schema, driver: driver(), data: { item: [{ id: 'a' }] } })
    const draft = store.draft({ label: 'Edit' })
    draft.table('item').set('a', 'rank', 2)
    store.table('item').insert({ id: 'b' })
    return {
      store,
      draft,
      item: store.table('item'),
      scene: store.value('scene'),
      live: store.table('item').live(),
      sqlLive: store.live(sql`select id from item`),
    }
  }
  type Opened = Awaited<ReturnType<typeof open>>

  const streamsOf = ({
    store,
    draft,
    item,
    scene,
    live,
    sqlLive,
  }: Opened): Record<string, () => Observable<unknown>> => ({
    'store.changes$': () => store.changes$,
    'store.commits$': () => store.commits$,
    'table.changes$': () => item.changes$,
    'table.row$': () => item.row$('a'),
    'table.field$': () => item.field$('a', 'rank'),
    'value.value$': () => scene.value$,
    'value.field$': () => scene.field$('zoom'),
    'draft.isDirty$': () => draft.isDirty$,
    'draft.conflicts$': () => draft.conflicts$,
    'history.canUndo$': () => store.history.canUndo$,
    'history.canRedo$': () => store.history.canRedo$,
    'history.steps$': () => store.history.steps$,
    'history.skipped$': () => store.history.skipped$,
    'live.rows$': () => live.rows$,
    'live.diff$': () => live.diff$,
    'sqlLive.rows$': () => sqlLive.rows$,
    'sqlLive.diff$': () => sqlLive.diff$,
  })

  const callsOf = ({ store, draft, item, scene, live, sqlLive }: Opened): Record<string, () => unknown> => ({
    'store.table': () => store.table('item'),
    'store.value': () => store.value('scene'),
    'store.query': () => store.query(sql`select 1 as one`),
    'store.live': () => store.live(sql`select 1 as one`),
    'store.exec': () => store.exec(sql`delete from item`),
    'store.transaction': () => store.transaction(() => undefined),
    'store.draft': () => store.draft(),
    'store.attach': () => store.attach('x', new Uint8Array()),
    'store.export': () => store.export(),
    'store.import': () => store.import(new Uint8Array()),
    'store.sync': () => store.sync,
    'store.saved': () => store.saved(),
    'store.snapshotInfo': () => store.snapshotInfo,
    'table.get': () => item.get('a'),
    'table.has': () => item.has('a'),
    'table.keys': () => item.keys(),
    'table.all': () => item.all(),
    'table.count': () => item.count(),
    'table.count$': () => item.count$(),
    'table.predicate': () => item.predicate({}),
    'table.find': () => item.find(),
    'table.live': () => item.live(),
    'table.insert': () => item.insert({ id: 'c' }),
    'table.upsert': () => item.upsert({ id: 'c' }),
    'table.update': () => item.update('a', { rank: 1 }),
    'table.updateMany': () => item.updateMany(['a'], { rank: 1 }),
    'table.set': () => item.set('a', 'rank', 1),
    'table.reset': () => item.reset('a'),
    'table.delete': () => item.delete('a'),
    'value.get': () => scene.get(),
    'value.set': () => scene.set('zoom', 2),
    'value.update': () => scene.update({ zoom: 2 }),
    'value.reset': () => scene.reset(),
    'draft.table': () => draft.table('item'),
    'draft.value': () => draft.value('scene'),
    'draft.query': () => draft.query(sql`select 1 as one`),
    'draft.live': () => draft.live(sql`select 1 as one`),
    'draft.exec': () => draft.exec(sql`delete from item`),
    'draft.transaction': () => draft.transaction(() => undefined),
    'draft.changes': () => draft.changes(),
    'draft.isDirty': () => draft.isDirty,
    'draft.commit': () => draft.commit(),
    'draft.keep': () => draft.keep({ table: 'item', key: 'a', path: 'rank' }),
    'draft.take': () => draft.take({ table: 'item', key: 'a', path: 'rank' }),
    'history.undo': () => store.history.undo(),
    'history.redo': () => store.history.redo(),
    'history.canUndo': () => store.history.canUndo,
    'history.canRedo': () => store.history.canRedo,
    'history.clear': () => store.history.clear(),
    'live.rows': () => live.rows,
    'sqlLive.rows': () => sqlLive.rows,
  })

  test('has completed every stream, also for who subscribes to it only then', async () => {
    const opened = await open()
    const got = Object.entries(streamsOf(opened)).map(([name, get]) => [name, get()] as const)
    const before: string[] = []
    for (const [name, stream] of got) stream.subscribe({ complete: () => before.push(name) })
    await opened.store.close()
    expect(before.toSorted()).toEqual(got.map(([name]) => name).toSorted())
    for (const [name, stream] of got) {
      const heard: unknown[] = []
      stream.subscribe({
        next: (value) => heard.push(value),
        error: (error: unknown) => heard.push(error),
        complete: () => heard.push('complete'),
      })
      expect(heard, name).toEqual(['complete'])
    }
  })

  test('throws StoreClosedError for whatever is called, read or observed anew', async () => {
    const opened = await open()
    await opened.store.close()
    for (const [name, call] of Object.entries(callsOf(opened))) expect(call, name).toThrow(StoreClosedError)
    for (const [name, get] of Object.entries(streamsOf(opened)))
      if (!/^(sqlLive|live)\./.test(name)) expect(get, name).toThrow(StoreClosedError)
  })

  test('still says what it was, and takes what has nothing left to do', async () => {
    const { store, draft, item, live } = await open()
    await store.close()
    expect([store.closed, store.readOnly, store.tables, item.name]).toEqual([true, false, ['item', 'scene'], 'item'])
    expect([draft.id.startsWith('draft-'), draft.label, draft.state]).toEqual([true, 'Edit', 'cancelled'])
    draft.cancel()
    live.close()
    await store.close()
  })

  test('is covered here with every member that it has', async () => {
    const opened = await open()
    const { store, draft, item, scene, live } = opened
    const covered = [...Object.keys(callsOf(opened)), ...Object.keys(streamsOf(opened))]
    const parts = { store, draft, table: item, value: scene, history: store.history, live }
    for (const [name, part] of Object.entries(parts)) {
      const still: readonly string[] = STILL[name as keyof typeof STILL]
      const missing = membersOf(part).filter(
        (member) => !still.includes(member) && !covered.includes(`${name}.${member}`) && member !== 'close',
      )
      expect(missing, name).toEqual([])
    }
    await store.close()
  })
})

import {
  ConstraintError,
  createStore,
  defineSchema,
  sql,
  type ChangeSet,
  type Conflict,
  type Draft,
  type RowChange,
  type SkippedStep,
  type Store,
} from 'rowcast'
import { describe, expect, test } from 'vitest'
import { internals } from '../../src/store/index.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    board: { primaryKey: 'id', schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
    pin: {
      primaryKey: 'id',
      references: { boardId: { table: 'board', onDelete: 'cascade' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          note: { type: 'string' },
          boardId: { type: 'string' },
          leader: {
            type: 'object',
            required: ['dashed'],
            properties: { dashed: { type: 'boolean' }, width: { type: 'number', default: 2 } },
          },
        },
      },
    },
  },
})

type Shape = typeof schema extends { readonly definition: infer S } ? S : never

const arrive = (store: Store<Shape>, ...changes: RowChange[]): void =>
  internals(store as never).applyRemote({ changes, origin: 'remote' })

const update = (before: RowChange['before'], after: RowChange['after']): RowChange => ({
  table: 'pin',
  key: 'a',
  op: 'update',
  before,
  after,
})

async function exportedPin(store: Store<Shape>): Promise<unknown> {
  const reopened = await createStore({ schema, data: store.export() })
  const pin = reopened.table('pin').get('a')
  await reopened.close()
  return pin
}

function refusal(run: () => unknown): ConstraintError {
  try {
    run()
  } catch (error) {
    if (error instanceof ConstraintError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('a store that removes an optional object which a draft has removed already commits the whole removal', async () => {
  const store = await createStore({ schema })
  const pins = store.table('pin')
  pins.insert({ id: 'a', leader: { dashed: false } })
  const draft = store.draft()
  draft.table('pin').update('a', { leader: undefined })
  pins.update('a', { leader: undefined })
  pins.upsert({ id: 'a', note: '' })
  draft.cancel()
  expect(pins.get('a')).toEqual({ id: 'a', note: '' })
  await store.close()
})

test('an undo below a draft that has removed the object changes what the cancel brings back, and is not seen before', async () => {
  const store = await createStore({ schema })
  const pins = store.table('pin')
  pins.insert({ id: 'a', leader: { dashed: true } })
  pins.update('a', { leader: { dashed: false } })
  const draft = store.draft()
  draft.table('pin').upsert({ id: 'a' })
  const seen: unknown[] = []
  store.changes$.subscribe(({ changes }) => seen.push(changes.map(({ op, before, after }) => ({ op, before, after }))))
  const fields: unknown[] = []
  pins.field$('a', 'leader.dashed').subscribe((value) => fields.push(value))

  store.history.undo()
  expect(pins.get('a')).toEqual({ id: 'a' })
  expect(store.query(sql`select leader_dashed as dashed from pin`)).toEqual([{ dashed: null }])
  expect(pins.count({ 'leader.dashed': true })).toBe(0)
  expect(seen).toEqual([])

  draft.cancel()
  expect(pins.get('a')).toEqual({ id: 'a', leader: { dashed: true, width: 2 } })
  expect(store.query(sql`select leader_dashed as dashed from pin`)).toEqual([{ dashed: 1 }])
  expect(seen).toEqual([
    [
      {
        op: 'update',
        before: { leader: undefined, 'leader.dashed': undefined },
        after: { leader: {}, 'leader.dashed': true },
      },
    ],
  ])
  expect(fields).toEqual([undefined, true])
  await store.close()
})

test('a removed object that was changed below its draft is gone once the draft commits, and back with its undo', async () => {
  const store = await createStore({ schema })
  const pins = store.table('pin')
  pins.insert({ id: 'a', leader: { dashed: true } })
  pins.update('a', { leader: { dashed: false } })
  const draft = store.draft()
  draft.table('pin').upsert({ id: 'a' })
  store.history.undo()
  const { changes } = draft.commit()
  expect(changes.changes[0]!.before).toMatchObject({ 'leader.dashed': true })
  expect(pins.get('a')).toEqual({ id: 'a' })
  store.history.undo()
  expect(pins.get('a')).toEqual({ id: 'a', leader: { dashed: true, width: 2 } })
  await store.close()
})

describe('a board that a pin refers to in a draft only', () => {
  const open = async () => {
    const store = await createStore({ schema, data: { pin: [{ id: 'a' }] } })
    store.table('board').insert({ id: 'b' })
    const draft = store.draft()
    draft.table('pin').update('a', { boardId: 'b' })
    return { store, draft }
  }

  test.each(['an undo', 'a delete outside it'] as const)(
    'is not deleted by %s that would take the pin along',
    async (how) => {
      const { store, draft } = await open()
      let skipped: readonly SkippedStep[] = []
      store.history.skipped$.subscribe((steps) => (skipped = steps))
      const undo = (): unknown => store.history.undo() ?? skipped[0]?.reason
      const error = how === 'an undo' ? undo() : refusal(() => store.table('board').delete('b'))
      expect(error).toMatchObject({ constraint: 'foreignKey', draftId: draft.id })
      expect(store.table('pin').get('a')).toEqual({ id: 'a', boardId: 'b' })
      draft.cancel()
      store.history.undo()
      expect(store.table('pin').all()).toEqual([{ id: 'a' }])
      expect(store.table('board').all()).toEqual([])
      await store.close()
    },
  )
})

test('a leaf of a draft is lost as a conflict where an arrival removes its object, and is not stored by the commit', async () => {
  const store = await createStore({ schema })
  const pins = store.table('pin')
  pins.insert({ id: 'a', leader: { dashed: true } })
  const draft = store.draft()
  draft.table('pin').set('a', 'leader.width', 9)
  draft.table('pin').set('a', 'note', 'mine')
  const conflicts: (readonly Conflict[])[] = []
  draft.conflicts$.subscribe((each) => conflicts.push(each))
  arrive(store, update({ leader: {}, 'leader.dashed': true }, { leader: undefined, 'leader.dashed': undefined }))
  expect(conflicts.at(-1)).toMatchObject([{ table: 'pin', key: 'a', path: 'leader.width', mine: 9 }])
  draft.commit()
  pins.update('a', { leader: { dashed: false } })
  expect(pins.get('a')).toEqual({ id: 'a', note: 'mine', leader: { dashed: false, width: 2 } })
  expect(await exportedPin(store)).toEqual(pins.get('a'))
  await store.close()
})

describe('a draft that writes into an object which only another draft has made', () => {
  const open = async () => {
    const store = await createStore({ schema })
    store.table('pin').insert({ id: 'a' })
    const commits: ChangeSet[] = []
    store.commits$.subscribe((set) => commits.push(set))
    const [maker, other] = [store.draft(), store.draft()]
    maker.table('pin').update('a', { leader: { dashed: true, width: 5 } })
    return { store, commits, maker, other }
  }

  test('keeps the whole object when the other one is cancelled', async () => {
    const { store, maker, other } = await open()
    other.table('pin').set('a', 'leader.width', 9)
    maker.cancel()
    expect(store.table('pin').get('a')).toEqual({ id: 'a', leader: { dashed: true, width: 9 } })
    expect(await exportedPin(store)).toEqual({ id: 'a' })
    other.commit()
    expect(await exportedPin(store)).toEqual({ id: 'a', leader: { dashed: true, width: 9 } })
    await store.close()
  })

  test('keeps the whole object also where it has only cleared a leaf', async () => {
    const { store, maker, other } = await open()
    other.table('pin').reset('a', 'leader.width')
    maker.cancel()
    expect(store.table('pin').get('a')).toEqual({ id: 'a', leader: { dashed: true, width: 2 } })
    await store.close()
  })

  test('commits the whole object by itself where it has only cleared a leaf', async () => {
    const { store, commits, other } = await open()
    other.table('pin').reset('a', 'leader.width')
    other.commit()
    const before = { leader: undefined, 'leader.dashed': undefined }
    expect(commits.flatMap(({ changes }) => changes)).toEqual([update(before, { leader: {}, 'leader.dashed': true })])
    expect(await exportedPin(store)).toEqual({ id: 'a', leader: { dashed: true, width: 2 } })
    await store.close()
  })

  test('lets the other one commit its own object first, and tells just that', async () => {
    const { store, commits, maker, other } = await open()
    other.table('pin').reset('a', 'leader.width')
    maker.commit()
    const before = { leader: undefined, 'leader.dashed': undefined, 'leader.width': undefined }
    const after = { leader: {}, 'leader.dashed': true, 'leader.width': 5 }
    expect(commits.flatMap(({ changes }) => changes)).toEqual([update(before, after)])
    expect(await exportedPin(store)).toEqual({ id: 'a', leader: { dashed: true, width: 5 } })
    other.commit()
    expect(await exportedPin(store)).toEqual({ id: 'a', leader: { dashed: true, width: 2 } })
    await store.close()
  })
})

describe('a raw REPLACE of a row', () => {
  const open = async () => {
    const store = await createStore({ schema })
    const pins = store.table('pin')
    pins.insert({ id: 'a', leader: { dashed: true, width: 5 } })
    const commits: ChangeSet[] = []
    store.commits$.subscribe((set) => commits.push(set))
    return { store, pins, draft: store.draft(), changes: () => commits.flatMap(({ changes }) => changes) }
  }

  test('tells all that goes with an object of which a draft has cleared a leaf', async () => {
    const { store, pins, draft, changes } = await open()
    draft.table('pin').update('a', { leader: { dashed: false, width: undefined } })
    store.exec(sql`insert or replace into pin (id, note) values ('a', 'new')`)
    expect(pins.get('a')).toEqual({ id: 'a', note: 'new' })
    expect(changes()).toEqual([
      update(
        { note: undefined, leader: {}, 'leader.dashed': true, 'leader.width': 5 },
        { note: 'new', leader: undefined, 'leader.dashed': undefined, 'leader.width': undefined },
      ),
    ])
    draft.cancel()
    expect(pins.get('a')).toEqual({ id: 'a', note: 'new' })
    expect(await exportedPin(store)).toEqual({ id: 'a', note: 'new' })
    await store.close()
  })

  test('puts another object where a draft has removed the one there was, of which nothing stays', async () => {
    const { store, pins, draft, changes } = await open()
    draft.table('pin').reset('a', 'leader')
    store.exec(sql`insert or replace into pin (id, leader, leader_dashed) values ('a', 1, 0)`)
    expect(changes()).toEqual([
      update({ 'leader.dashed': true, 'leader.width': 5 }, { 'leader.dashed': false, 'leader.width': 2 }),
    ])
    draft.cancel()
    expect(pins.get('a')).toEqual({ id: 'a', leader: { dashed: false, width: 2 } })
    expect(await exportedPin(store)).toEqual(pins.get('a'))
    await store.close()
  })
})

describe('an undo and a redo below a draft', () => {
  test.each([
    ['has removed the object', (draft: Draft<Shape>) => draft.table('pin').reset('a', 'leader')],
    ['has deleted the row', (draft: Draft<Shape>) => draft.table('pin').delete('a')],
  ])('that %s are told by commits$, and there after the cancel', async (_, cover) => {
    const store = await createStore({ schema })
    const pins = store.table('pin')
    pins.insert({ id: 'a', leader: { dashed: true, width: 5 } })
    // The draft never gets to see a width that is stored.
    pins.update('a', { leader: { dashed: false, width: 2 } })
    const draft = store.draft()
    cover(draft)
    const commits: ChangeSet[] = []
    store.commits$.subscribe((set) => commits.push(set))
    const [older, newer] = [
      { 'leader.dashed': true, 'leader.width': 5 },
      { 'leader.dashed': false, 'leader.width': 2 },
    ]

    store.history.undo()
    expect(commits.at(-1)).toMatchObject({ origin: 'undo', changes: [update(newer, older)] })
    expect(await exportedPin(store)).toEqual({ id: 'a', leader: { dashed: true, width: 5 } })
    store.history.redo()
    expect(commits.at(-1)).toMatchObject({ origin: 'redo', changes: [update(older, newer)] })
    store.history.undo()
    expect(commits).toHaveLength(3)
    expect(pins.get('a')?.leader).toBeUndefined()

    draft.cancel()
    expect(pins.get('a')).toEqual({ id: 'a', leader: { dashed: true, width: 5 } })
    expect(commits).toHaveLength(3)
    await store.close()
  })
})

test('a lost object is kept whole, in whatever order its cells are kept, and taken whole', async () => {
  for (const order of [
    ['leader', 'leader.dashed', 'leader.width'],
    ['leader.dashed', 'leader.width', 'leader'],
  ]) {
    const store = await createStore({ schema, data: { pin: [{ id: 'a' }] } })
    const pins = store.table('pin')
    const draft = store.draft()
    draft.table('pin').set('a', 'leader', { dashed: true, width: 7 })
    pins.upsert({ id: 'a', leader: { dashed: false } })
    pins.reset('a', 'leader')
    expect(pins.get('a')).toEqual({ id: 'a' })
    for (const path of order) draft.keep({ table: 'pin', key: 'a', path })
    expect(pins.get('a')).toEqual({ id: 'a', leader: { dashed: true, width: 7 } })
    await store.close()
  }

  const store = await createStore({ schema, data: { pin: [{ id: 'a' }] } })
  const draft = store.draft()
  let conflicts: readonly unknown[] = []
  draft.conflicts$.subscribe((now) => (conflicts = now))
  draft.table('pin').set('a', 'leader', { dashed: true, width: 7 })
  arrive(store, {
    table: 'pin',
    op: 'update',
    key: 'a',
    before: {},
    after: { leader: {}, 'leader.dashed': false, 'leader.width': 3 },
  })
  expect(conflicts).not.toEqual([])
  draft.take({ table: 'pin', key: 'a', path: 'leader' })
  expect(conflicts).toEqual([])
  expect(draft.changes().changes).toEqual([])
  expect(store.table('pin').get('a')).toEqual({ id: 'a', leader: { dashed: false, width: 3 } })
  await store.close()
})

test('a removal of an object is kept where somebody has put the object meanwhile', async () => {
  const store = await createStore({ schema, data: { pin: [{ id: 'a', leader: { dashed: true } }] } })
  const draft = store.draft()
  draft.table('pin').update('a', { leader: undefined })
  store.table('pin').upsert({ id: 'a', leader: { dashed: false } })
  draft.keep({ table: 'pin', key: 'a', path: 'leader' })
  expect(store.table('pin').get('a')).toEqual({ id: 'a' })
  await store.close()
})

test('an object that was there, and is null by default or by its own, comes and goes with undo and redo', async () => {
  const id = { type: 'string' } as const
  for (const box of [{ default: null }, {}])
    for (const unique of [[['box.slot']], [['rank', 'box.slot']], []] as const) {
      const store = await createStore({
        schema: defineSchema({
          version: 1,
          tables: {
            t: {
              primaryKey: 'id',
              unique,
              schema: {
                type: 'object',
                required: ['id'],
                properties: {
                  id,
                  rank: { type: 'number', default: 0 },
                  box: {
                    type: ['object', 'null'],
                    ...box,
                    properties: { slot: { type: 'string', default: 'first' } },
                  },
                },
              },
            },
          },
        }),
      })
      const t = store.table('t')
      t.insert([
        { id: 'a', box: { slot: 'first' } },
        { id: 'b', box: null },
      ])
      const before = t.all()
      // The one takes what the other gives up.
      t.upsert([
        { id: 'a', box: null },
        { id: 'b', box: {} },
      ])
      const after = t.all()
      expect(store.history.undo()).toBeDefined()
      expect(t.all()).toEqual(before)
      expect(store.history.redo()).toBeDefined()
      expect(t.all()).toEqual(after)
      const draft = store.draft()
      draft.table('t').set('a', 'rank', 3)
      expect(store.history.undo()).toBeDefined()
      draft.cancel()
      expect(t.all()).toEqual(before)
      await store.close()
    }
})

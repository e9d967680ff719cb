import { describe, expect, test } from 'vitest'
import { ConstraintError, createStore, defineSchema, RejectedError, type ChangeSet, type Conflict } from 'rowcast'
import type { RowChange } from '../../src/changes/index.ts'
import { internals } from '../../src/store/index.ts'

const text = { type: 'string' } as const
const schema = defineSchema({
  version: 1,
  tables: {
    layer: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: text, name: text } },
    },
    pin: {
      primaryKey: 'id',
      references: { layer: { table: 'layer', onDelete: 'cascade' } },
      schema: {
        type: 'object',
        required: ['id', 'layer'],
        properties: { id: text, layer: text, n: { type: 'number', default: 1 } },
      },
    },
    tag: {
      primaryKey: 'id',
      unique: [['code']],
      schema: { type: 'object', required: ['id', 'code'], properties: { id: text, code: text, name: text } },
    },
    card: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: text,
          title: text,
          n: { type: 'number' },
          from: { type: 'number' },
          to: { type: 'number' },
          tags: { type: 'array', items: text },
        },
        dependentRequired: { from: ['to'] },
      },
    },
  },
})

async function open() {
  const store = await createStore({
    schema,
    data: { layer: [{ id: 'K' }, { id: 'L' }], card: [{ id: 'a', title: 'orig' }] },
  })
  const inside = internals(store as never)
  const follow = (draft: ReturnType<typeof store.draft>): (() => readonly Conflict[]) => {
    let conflicts: readonly Conflict[] = []
    draft.conflicts$.subscribe((now) => (conflicts = now))
    return () => conflicts
  }
  const draft = store.draft()
  return {
    store,
    cards: store.table('card'),
    draft,
    conflicts: follow(draft),
    follow,
    theirs: (...changes: RowChange[]) => inside.applyRemote({ changes } satisfies Pick<ChangeSet, 'changes'>),
  }
}

const change = (table: string, key: string, op: RowChange['op'], after: object = {}): RowChange => ({
  table,
  key,
  op,
  before: {},
  after: after as RowChange['after'],
})

describe('a row that a collision would leave invalid goes out of view whole, as a conflict', () => {
  test('a draft’s new row whose required parent goes', async () => {
    const { store, draft, conflicts, theirs } = await open()
    draft.table('pin').insert({ id: 'new', layer: 'L', n: 5 })
    theirs(change('layer', 'L', 'delete'))
    expect(store.table('pin').all()).toEqual([])
    expect(conflicts()).toContainEqual({ table: 'pin', key: 'new', path: '', mine: true, theirs: false })
    expect(conflicts()).toContainEqual({ table: 'pin', key: 'new', path: 'n', mine: 5, theirs: undefined })
    await store.close()
  })

  test('a draft’s change of a required reference to a row that goes: the row is seen as it is committed', async () => {
    const { store, draft, conflicts, theirs } = await open()
    store.table('pin').insert({ id: 'p', layer: 'K' })
    draft.table('pin').update('p', { layer: 'L', n: 7 })
    theirs(change('layer', 'L', 'delete'))
    expect(store.table('pin').all()).toEqual([{ id: 'p', layer: 'K', n: 7 }])
    expect(conflicts()).toEqual([{ table: 'pin', key: 'p', path: 'layer', mine: 'L', theirs: 'K' }])
    await store.close()
  })

  test('a mixture that no rule of the row allows', async () => {
    const { store, cards, draft, conflicts, theirs } = await open()
    cards.update('a', { to: 5 })
    draft.table('card').update('a', { from: 3, title: 'mine' })
    theirs(change('card', 'a', 'update', { to: undefined }))
    expect(cards.get('a')).toEqual({ id: 'a', title: 'orig' })
    expect(conflicts().map(({ path }) => path)).toEqual(['from', 'title'])
    await store.close()
  })

  test('a mixture that is left when another draft is cancelled, or committed', async () => {
    for (const end of ['cancel', 'commit'] as const) {
      const { store, cards, draft, follow } = await open()
      const first = store.draft()
      if (end === 'cancel') {
        first.table('card').set('a', 'to', 5)
        draft.table('card').set('a', 'from', 3)
      } else {
        // Seen is what `first` wrote last; below it lies what `draft` has, which needs the 5.
        cards.set('a', 'to', 4)
        draft.table('card').set('a', 'from', 3)
        first.table('card').update('a', { from: undefined, to: undefined })
      }
      const conflicts = follow(draft)
      first[end]()
      const { from, to } = cards.get('a')!
      expect(from === undefined || to !== undefined, `${end}: from ${from}, to ${to}`).toBe(true)
      expect(
        conflicts().map(({ path }) => path),
        end,
      ).toContain('from')
      await store.close()
    }
  })

  test('commit says so once, and then commits the rest', async () => {
    const { store, cards, draft, theirs } = await open()
    draft.table('pin').insert({ id: 'new', layer: 'L' })
    draft.table('card').set('a', 'title', 'mine')
    theirs(change('layer', 'L', 'delete'))
    expect(() => draft.commit()).toThrow(ConstraintError)
    expect(draft.state).toBe('open')
    draft.commit()
    expect(cards.get('a')?.title).toBe('mine')
    expect(store.table('pin').all()).toEqual([])
    await store.close()
  })

  test('commit has nothing to say of a row that was put there again, or given up', async () => {
    const { store, draft, conflicts, theirs } = await open()
    draft.table('pin').insert([
      { id: 'one', layer: 'L' },
      { id: 'two', layer: 'L' },
    ])
    theirs(change('layer', 'L', 'delete'))
    draft.table('pin').insert({ id: 'one', layer: 'K' })
    expect(conflicts().filter(({ key }) => key === 'one')).toEqual([])
    draft.take({ table: 'pin', key: 'two', path: '' })
    expect(draft.commit().changes.changes).toMatchObject([{ key: 'one', op: 'insert' }])
    await store.close()
  })

  test('a draft that lost nothing else is not told by commit', async () => {
    const { store, cards, draft, theirs } = await open()
    draft.table('card').set('a', 'title', 'mine')
    theirs(change('card', 'a', 'delete'))
    expect(draft.commit().changes.changes).toEqual([])
    expect(cards.all()).toEqual([])
    await store.close()
  })
})

test('what goes with an object, or by a write of another’s, is a conflict, of which commit says nothing', async () => {
  const number = { type: 'number' } as const
  for (const type of ['object', ['object', 'null'] as const]) {
    const store = await createStore({
      schema: defineSchema({
        version: 1,
        tables: {
          t: {
            primaryKey: 'id',
            schema: {
              type: 'object',
              required: ['id'],
              properties: { id: text, n: number, o: { type: type as 'object', properties: { y: number } } },
            },
          },
        },
      }),
      data: { t: [{ id: 'a', o: { y: 1 } }] },
    })
    const draft = store.draft()
    let conflicts: readonly Conflict[] = []
    draft.conflicts$.subscribe((now) => (conflicts = now))
    draft.table('t').set('a', 'o.y', 5)
    draft.table('t').set('a', 'n', 5)
    store.table('t').set('a', 'n', 6)
    const gone = typeof type === 'string' ? undefined : null
    internals(store as never).applyRemote({ changes: [change('t', 'a', 'update', { o: gone })] })
    expect(conflicts.map(({ path, mine }) => [path, mine])).toEqual([
      ['n', 5],
      ['o.y', 5],
    ])
    expect(() => draft.commit({ ifUnchanged: true })).toThrow(RejectedError)
    expect(draft.commit().changes.changes).toEqual([])
    await store.close()
  }
})

describe('conflicts$ follows what lies below', () => {
  test('of a row that was deleted and comes back', async () => {
    const { store, cards, draft, conflicts } = await open()
    draft.table('card').set('a', 'title', 'drafted')
    cards.delete('a')
    expect(conflicts()).toEqual([{ table: 'card', key: 'a', path: 'title', mine: 'drafted', theirs: undefined }])
    store.history.undo()
    expect(conflicts()).toEqual([{ table: 'card', key: 'a', path: 'title', mine: 'drafted', theirs: 'orig' }])
    cards.set('a', 'title', 'another')
    expect(conflicts()).toEqual([{ table: 'card', key: 'a', path: 'title', mine: 'drafted', theirs: 'another' }])
    draft.keep({ table: 'card', key: 'a', path: 'title' })
    expect(cards.get('a')?.title).toBe('drafted')
    expect(conflicts()).toEqual([])
    await store.close()
  })

  test('by an arrival, by another draft’s commit, and in a table that nobody else holds anything of', async () => {
    const { store, cards, draft, conflicts, theirs } = await open()
    draft.table('card').set('a', 'n', 1)
    cards.set('a', 'n', 2)
    expect(conflicts()).toMatchObject([{ mine: 1, theirs: 2 }])
    theirs(change('card', 'a', 'update', { n: 3 }))
    expect(conflicts()).toMatchObject([{ mine: 1, theirs: 3 }])
    const other = store.draft()
    other.table('card').set('a', 'n', 4)
    expect(conflicts()).toMatchObject([{ mine: 1, theirs: 3 }])
    other.commit()
    expect(conflicts()).toMatchObject([{ mine: 1, theirs: 4 }])
    await store.close()
  })

  test('to nothing where mine equals theirs, and back', async () => {
    const { store, cards, draft, conflicts } = await open()
    cards.set('a', 'title', 'B')
    cards.set('a', 'title', 'C')
    draft.table('card').set('a', 'title', 'B')
    store.history.undo()
    expect(conflicts()).toEqual([])
    cards.set('a', 'title', 'D')
    expect(conflicts()).toMatchObject([{ mine: 'B', theirs: 'D' }])
    cards.set('a', 'title', 'B')
    expect(conflicts()).toEqual([])
    await store.close()
  })

  test('to nothing where what lies below is back at what it was when the draft wrote', async () => {
    const { store, draft, conflicts, theirs } = await open()
    draft.table('card').update('a', { title: 'mine', tags: ['mine'] })
    theirs(change('card', 'a', 'update', { title: 'theirs', tags: ['theirs'] }))
    expect(conflicts()).toHaveLength(2)
    theirs(change('card', 'a', 'update', { title: 'orig', tags: undefined }))
    expect(conflicts()).toEqual([])
    expect(() => draft.take({ table: 'card', key: 'a', path: 'title' })).toThrow(/no conflict/)
    draft.commit({ ifUnchanged: true })
    await store.close()
  })

  test('and what was kept is in conflict only with what came after', async () => {
    const { store, draft, conflicts, theirs } = await open()
    draft.table('card').set('a', 'title', 'mine')
    theirs(change('card', 'a', 'update', { title: 'one' }))
    draft.keep({ table: 'card', key: 'a', path: 'title' })
    expect(conflicts()).toEqual([])
    theirs(change('card', 'a', 'update', { title: 'two' }))
    expect(conflicts()).toMatchObject([{ theirs: 'two' }])
    expect(() => draft.commit({ ifUnchanged: true })).toThrow(RejectedError)
    theirs(change('card', 'a', 'update', { title: 'one' }))
    expect(conflicts()).toEqual([])
    await store.close()
  })

  test('to nothing where a row of the draft that was taken out of view is put there again', async () => {
    const { store, draft, conflicts, theirs } = await open()
    const tags = draft.table('tag')
    for (const [n, code] of ['A', 'B'].entries()) {
      tags.upsert({ id: 'mine', code, name: 'x' })
      theirs(change('tag', `theirs ${n}`, 'insert', { id: `theirs ${n}`, code }))
      expect(tags.has('mine')).toBe(false)
      expect(conflicts()).toContainEqual({ table: 'tag', key: 'mine', path: '', mine: true, theirs: false })
      tags.insert({ id: 'mine', code: `${code}2` })
      expect(conflicts()).toEqual([])
    }
    draft.commit({ ifUnchanged: true })
    expect(store.table('tag').get('mine')).toEqual({ id: 'mine', code: 'B2' })
    await store.close()
  })

  test('to nothing where a cell that was taken from the draft is written again over what it first was', async () => {
    const { store, cards, draft, conflicts, theirs } = await open()
    const mine = draft.table('card')
    const again = (path: 'from' | 'title' | 'n', value: unknown): void => {
      expect(conflicts().map((one) => one.path)).toContain(path)
      mine.set('a', path, value as never)
      expect(conflicts().filter((one) => one.path === path)).toEqual([])
    }
    // A collision with a rule of the row.
    cards.set('a', 'to', 5)
    mine.set('a', 'from', 3)
    theirs(change('card', 'a', 'update', { to: undefined }))
    theirs(change('card', 'a', 'update', { to: 5 }))
    again('from', 3)
    // A write of another's, and its undo.
    mine.set('a', 'n', 1)
    cards.set('a', 'n', 2)
    store.history.undo()
    again('n', 7)
    // The row itself.
    mine.set('a', 'title', 'mine')
    cards.delete('a')
    store.history.undo()
    again('title', 'mine')
    expect(conflicts().map(({ path }) => path)).toEqual(['from', 'n'])
    mine.update('a', { from: 3, n: 7 })
    expect(conflicts()).toEqual([])
    // What is another's now is in conflict as ever.
    theirs(change('card', 'a', 'update', { title: 'theirs' }))
    expect(conflicts()).toMatchObject([{ path: 'title', mine: 'mine', theirs: 'theirs' }])
    theirs(change('card', 'a', 'update', { title: 'orig' }))
    draft.commit({ ifUnchanged: true })
    expect(cards.get('a')).toMatchObject({ title: 'mine', from: 3, n: 7 })
    await store.close()
  })

  test('and keeps a cell listed that was taken from the draft and written again over another’s value', async () => {
    const { store, cards, draft, conflicts, theirs } = await open()
    draft.table('card').set('a', 'title', 'mine')
    cards.set('a', 'title', 'theirs')
    draft.table('card').set('a', 'title', 'mine')
    expect(conflicts()).toMatchObject([{ mine: 'mine', theirs: 'theirs' }])
    theirs(change('card', 'a', 'update', { title: 'another' }))
    theirs(change('card', 'a', 'update', { title: 'theirs' }))
    expect(conflicts()).toMatchObject([{ mine: 'mine', theirs: 'theirs' }])
    expect(() => draft.commit({ ifUnchanged: true })).toThrow(RejectedError)
    await store.close()
  })

  test('to nothing where a unique value that another had for a while is written again', async () => {
    const { store, draft, conflicts, theirs } = await open()
    store.table('tag').insert({ id: 'mine', code: 'A' })
    draft.table('tag').set('mine', 'code', 'B')
    theirs(change('tag', 'theirs', 'insert', { id: 'theirs', code: 'B' }))
    expect(conflicts()).toMatchObject([{ path: 'code', mine: 'B', theirs: 'A' }])
    theirs(change('tag', 'theirs', 'delete'))
    draft.table('tag').set('mine', 'code', 'B')
    expect(conflicts()).toEqual([])
    draft.commit({ ifUnchanged: true })
    await store.close()
  })

  test('a draft that has ended is not told any more', async () => {
    const { store, cards, draft, conflicts } = await open()
    draft.table('card').set('a', 'title', 'mine')
    cards.delete('a')
    draft.cancel()
    store.history.undo()
    expect(conflicts()).toEqual([])
    expect(internals(store as never).engine.layers.empty).toBe(true)
    await store.close()
  })
})

import {
  ConstraintError,
  createStore,
  defineSchema,
  sql,
  type ChangeSet,
  type Conflict,
  type Draft,
  type RowChange,
  type SqliteDriverFactory,
  type Store,
} from 'rowcast'
import { describe, expect, test } from 'vitest'
import { internals } from '../../src/store/index.ts'
import { describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    layer: { primaryKey: 'id', schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
    item: {
      primaryKey: 'id',
      unique: [['slug'], ['x', 'y']],
      references: { layerId: { table: 'layer', onDelete: 'cascade' }, backId: { table: 'layer', onDelete: 'setNull' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          slug: { type: 'string' },
          x: { type: 'integer' },
          y: { type: 'integer' },
          rank: { type: 'integer', default: 0 },
          note: { type: 'string' },
          layerId: { type: 'string' },
          backId: { type: 'string' },
          points: { type: 'array', items: { type: 'integer' } },
        },
      },
    },
  },
})

type Shape = typeof schema extends { readonly definition: infer S } ? S : never
type ItemStore = Store<Shape>
type ItemDraft = Draft<Shape>

async function open(driver: SqliteDriverFactory): Promise<ItemStore> {
  const store: ItemStore = await createStore({ schema, driver })
  store.table('layer').insert([{ id: 'l1' }, { id: 'l2' }])
  store.table('item').insert([
    { id: 'a', slug: 'sa', rank: 1, layerId: 'l1' },
    { id: 'b', slug: 'sb', rank: 2, layerId: 'l1', backId: 'l2' },
  ])
  store.history.clear()
  return store
}

const update = (key: string, before: object, after: object): RowChange => ({
  table: 'item',
  key,
  op: 'update',
  before: { ...before },
  after: { ...after },
})
const arrive = (store: ItemStore, ...changes: RowChange[]): void =>
  internals(store as never).applyRemote({ changes, origin: 'remote' })
const rank = (store: ItemStore, key = 'a'): number | undefined => store.table('item').get(key)?.rank

function conflictsOf(draft: ItemDraft): readonly Conflict[] {
  let now: readonly Conflict[] = []
  draft.conflicts$.subscribe((conflicts) => (now = conflicts)).unsubscribe()
  return now
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

async function committedOf(store: ItemStore, driver: SqliteDriverFactory): Promise<ItemStore> {
  return createStore({ schema, driver, data: store.export() })
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, n) =>
    permutations([...items.slice(0, n), ...items.slice(n + 1)]).map((rest) => [item, ...rest]),
  )
}

describeEachDriver('drafts', (driver) => {
  const ends = permutations([0, 1, 2]).flatMap((order) =>
    Array.from({ length: 8 }, (_, bits) => order.map((draft) => ({ draft, commit: (bits & (1 << draft)) !== 0 }))),
  )

  test.each(
    ends.map(
      (end) => [end.map(({ draft, commit }) => `${commit ? 'commit' : 'cancel'} of ${draft}`).join(', '), end] as const,
    ),
  )('over one cell fall back to what lies below, whatever the order: %s', async (_, end) => {
    const store = await open(driver())
    const drafts = [10, 20, 30].map((value) => {
      const draft = store.draft()
      draft.table('item').set('a', 'rank', value)
      return { draft, value }
    })
    let base = 1
    let left = [...drafts]
    for (const { draft: n, commit } of end) {
      const each = drafts[n]!
      left = left.filter((other) => other !== each)
      if (commit) {
        expect(each.draft.commit().changes.changes).toEqual([update('a', { rank: base }, { rank: each.value })])
        base = each.value
      } else each.draft.cancel()
      expect(rank(store)).toBe(left.at(-1)?.value ?? base)
      expect(store.query(sql`select rank from item where id = 'a'`)).toEqual([{ rank: left.at(-1)?.value ?? base }])
      expect((await committedOf(store, driver())).table('item').get('a')?.rank).toBe(base)
    }
  })

  test('that write a cell again come to the top of it', async () => {
    const store = await open(driver())
    const [one, two] = [store.draft(), store.draft()]
    one.table('item').set('a', 'rank', 10)
    two.table('item').set('a', 'rank', 20)
    one.table('item').set('a', 'rank', 30)
    two.cancel()
    expect(rank(store)).toBe(30)
    one.cancel()
    expect(rank(store)).toBe(1)
  })

  test('make an entry by writing the value that a covered cell shows already', async () => {
    const store = await open(driver())
    const [one, two] = [store.draft(), store.draft()]
    one.table('item').set('a', 'rank', 10)
    two.table('item').set('a', 'rank', 10)
    one.cancel()
    expect(rank(store)).toBe(10)
    expect(two.changes().changes).toEqual([update('a', { rank: 1 }, { rank: 10 })])
    two.cancel()
    expect(rank(store)).toBe(1)
  })

  test('lose a covered cell to a write of the very value that it shows', async () => {
    const store = await open(driver())
    const draft = store.draft()
    draft.table('item').set('a', 'rank', 10)
    const commits: ChangeSet[] = []
    store.commits$.subscribe((set) => commits.push(set))
    store.table('item').set('a', 'rank', 10)
    expect(commits.map((set) => set.changes)).toEqual([[update('a', { rank: 1 }, { rank: 10 })]])
    draft.cancel()
    expect(rank(store)).toBe(10)
  })

  test('are left alone by a reset, an update and a recipe of another cell of the row', async () => {
    const store = await open(driver())
    const [draft, other] = [store.draft(), store.draft()]
    draft.table('item').set('a', 'rank', 10)
    other.table('item').update('a', (row) => {
      row.note = 'other'
    })
    expect(other.changes().changes).toEqual([update('a', { note: undefined }, { note: 'other' })])
    const commits: ChangeSet[] = []
    store.commits$.subscribe((set) => commits.push(set))
    store.table('item').reset('a', 'points')
    expect(commits).toEqual([])
    store.table('item').update('a', { x: 1 })
    store.table('item').update('a', (row) => {
      row.y = 1
    })
    expect(commits.map((set) => set.changes)).toEqual([
      [update('a', { x: undefined }, { x: 1 })],
      [update('a', { y: undefined }, { y: 1 })],
    ])
    expect(draft.changes().changes).toEqual([update('a', { rank: 1 }, { rank: 10 })])
    draft.cancel()
    expect(rank(store)).toBe(1)
  })

  test('lose a cell that shows its default to a reset outside', async () => {
    const store = await open(driver())
    const draft = store.draft()
    draft.table('item').set('a', 'rank', 0)
    store.table('item').reset('a', 'rank')
    draft.cancel()
    expect(rank(store)).toBe(0)
  })

  test('tell what was visible before where a write outside takes a cell along with others', async () => {
    const store = await open(driver())
    const draft = store.draft()
    draft.table('item').set('a', 'rank', 10)
    const [changes, commits]: ChangeSet[][] = [[], []]
    store.changes$.subscribe((set) => changes?.push(set))
    store.commits$.subscribe((set) => commits?.push(set))
    store.table('item').update('a', { note: 'n', rank: 5 })
    expect(changes?.map((set) => set.changes)).toEqual([
      [update('a', { rank: 10, note: undefined }, { rank: 5, note: 'n' })],
    ])
    expect(commits?.map((set) => set.changes)).toEqual([
      [update('a', { rank: 1, note: undefined }, { rank: 5, note: 'n' })],
    ])
  })

  test('mean the last value of a transaction that sets a covered cell and changes it again by SQL', async () => {
    const store = await open(driver())
    const [one, two] = [store.draft(), store.draft()]
    one.table('item').set('a', 'rank', 5)
    two.transaction(() => {
      two.table('item').set('a', 'rank', 2)
      two.exec(sql`update item set rank = rank + 3 where id = 'a'`)
    })
    expect(rank(store)).toBe(5)
    one.cancel()
    expect(rank(store)).toBe(5)
    two.commit()
    expect(rank(store)).toBe(5)
    expect((await committedOf(store, driver())).table('item').get('a')?.rank).toBe(5)
  })

  test('reveal on cancel the newest value that arrived meanwhile', async () => {
    const store = await open(driver())
    const draft = store.draft()
    draft.table('item').set('a', 'rank', 10)
    arrive(store, update('a', { rank: 1 }, { rank: 2 }))
    arrive(store, update('a', { rank: 2, note: undefined }, { rank: 3, note: 'theirs' }))
    expect(store.table('item').get('a')).toMatchObject({ rank: 10, note: 'theirs' })
    expect(conflictsOf(draft)).toEqual([{ table: 'item', key: 'a', path: 'rank', mine: 10, theirs: 3 }])
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    draft.cancel()
    expect(sets.map(({ origin, changes }) => ({ origin, changes }))).toEqual([
      { origin: 'cancel', changes: [update('a', { rank: 10 }, { rank: 3 })] },
    ])
  })

  test('keep or take a cell that was changed underneath', async () => {
    const store = await open(driver())
    const [kept, taken] = [store.draft(), store.draft()]
    kept.table('item').set('a', 'rank', 10)
    taken.table('item').set('b', 'rank', 20)
    arrive(store, update('a', { rank: 1 }, { rank: 3 }), update('b', { rank: 2 }, { rank: 4 }))
    kept.keep({ table: 'item', key: 'a', path: 'rank' })
    taken.take({ table: 'item', key: 'b', path: 'rank' })
    expect([conflictsOf(kept), conflictsOf(taken)]).toEqual([[], []])
    expect([rank(store, 'a'), rank(store, 'b')]).toEqual([10, 4])
    expect([kept.isDirty, taken.isDirty]).toEqual([true, false])
    kept.commit()
    taken.cancel()
    expect([rank(store, 'a'), rank(store, 'b')]).toEqual([10, 4])
  })

  test('list a cell that a write outside took, and may put their own value back', async () => {
    const store = await open(driver())
    const draft = store.draft()
    draft.table('item').set('a', 'rank', 10)
    store.table('item').set('a', 'rank', 5)
    expect(rank(store)).toBe(5)
    expect(conflictsOf(draft)).toEqual([{ table: 'item', key: 'a', path: 'rank', mine: 10, theirs: 5 }])
    expect(draft.isDirty).toBe(false)
    draft.keep({ table: 'item', key: 'a', path: 'rank' })
    expect(rank(store)).toBe(10)
    draft.cancel()
    expect(rank(store)).toBe(5)
  })

  test('commit below a cell of another draft, which stays in view', async () => {
    const store = await open(driver())
    const [under, over] = [store.draft({ label: 'Under' }), store.draft()]
    under.table('item').set('a', 'rank', 10)
    over.table('item').set('a', 'rank', 20)
    const [changes, commits]: ChangeSet[][] = [[], []]
    store.changes$.subscribe((set) => changes?.push(set))
    store.commits$.subscribe((set) => commits?.push(set))
    under.commit()
    expect(rank(store)).toBe(20)
    expect(changes).toEqual([])
    expect(commits).toMatchObject([
      { origin: 'local', label: 'Under', draftId: under.id, changes: [update('a', { rank: 1 }, { rank: 10 })] },
    ])
    over.cancel()
    expect(rank(store)).toBe(10)
  })

  test('take back their inserts, deletes and cascades on cancel, and make them last on commit', async () => {
    const store = await open(driver())
    const before = store.table('item').all()
    const edit = (draft: ItemDraft): void => {
      draft.table('layer').insert({ id: 'l3' })
      draft.table('item').insert({ id: 'c', slug: 'sc', layerId: 'l3' })
      draft.table('layer').delete('l1')
    }
    const cancelled = store.draft()
    edit(cancelled)
    expect(store.table('item').keys()).toEqual(['c'])
    expect((await committedOf(store, driver())).table('item').all()).toEqual(before)
    cancelled.cancel()
    expect(store.table('item').all()).toEqual(before)
    expect(store.table('layer').keys()).toEqual(['l1', 'l2'])
    const committed = store.draft()
    edit(committed)
    const { changes } = committed.commit()
    expect(changes.changes.map(({ table, key, op }) => `${op} ${table} ${String(key)}`).toSorted()).toEqual([
      'delete item a',
      'delete item b',
      'delete layer l1',
      'insert item c',
      'insert layer l3',
    ])
    expect((await committedOf(store, driver())).table('item').keys()).toEqual(['c'])
    store.history.undo()
    expect(store.table('item').all()).toEqual(before)
    expect(store.table('layer').keys()).toEqual(['l1', 'l2'])
  })

  test('release references by setNull for as long as they are open', async () => {
    const store = await open(driver())
    const draft = store.draft()
    draft.table('layer').delete('l2')
    expect(store.table('item').get('b')?.backId).toBeUndefined()
    draft.cancel()
    expect(store.table('item').get('b')?.backId).toBe('l2')
  })

  test('are driven by raw SQL too', async () => {
    const store = await open(driver())
    const before = store.table('item').all()
    const run = (): ItemDraft => {
      const draft = store.draft()
      draft.exec(sql`update item set rank = rank * 10`)
      draft.exec(sql`insert into item (id, rank) select id || '2', rank from item`)
      draft.exec(sql`delete from item where id = 'a'`)
      draft.exec(sql`update item set id = 'z' where id = 'b'`)
      draft.exec(sql`replace into item (id, slug) values ('a2', 'sa')`)
      return draft
    }
    const draft = run()
    expect(store.table('item').keys()).toEqual(['a2', 'b2', 'z'])
    draft.cancel()
    expect(store.table('item').all()).toEqual(before)
    run().commit()
    expect(store.table('item').all()).toEqual([
      { id: 'a2', slug: 'sa', rank: 0 },
      { id: 'b2', rank: 20 },
      { id: 'z', slug: 'sb', rank: 20, layerId: 'l1', backId: 'l2' },
    ])
    store.history.undo()
    expect(store.table('item').all()).toEqual(before)
  })

  test('keep reserved what they cover: a unique value, and a row that is theirs alone', async () => {
    const store = await open(driver())
    const draft = store.draft()
    draft.table('item').set('a', 'slug', 'new')
    draft.table('layer').insert({ id: 'mine' })
    draft.table('item').insert({ id: 'd' })
    const items = store.table('item')
    const before = items.all()
    for (const attempt of [
      () => items.insert({ id: 'c', slug: 'sa' }),
      () => items.set('b', 'slug', 'sa'),
      () => store.exec(sql`update item set slug = 'sa' where id = 'b'`),
      () => items.set('b', 'layerId', 'mine'),
      () => items.insert({ id: 'c', layerId: 'mine' }),
      () => items.set('d', 'rank', 4),
      () => store.exec(sql`update item set rank = 4 where id = 'd'`),
    ]) {
      expect(refusal(attempt).draftId, String(attempt)).toBe(draft.id)
      expect(items.all()).toEqual(before)
    }
    draft.cancel()
    expect(items.get('a')?.slug).toBe('sa')
    expect(items.insert({ id: 'c', slug: 'new' })).toBe('c')
  })

  test('free the value that they covered once they are committed', async () => {
    const store = await open(driver())
    const draft = store.draft()
    draft.table('item').set('a', 'slug', 'new')
    draft.commit()
    store.table('item').set('b', 'slug', 'sa')
    expect(store.table('item').get('b')?.slug).toBe('sa')
  })

  test('reserve a composite value that two of them make together', async () => {
    const store = await open(driver())
    store.table('item').update('a', { x: 1, y: 1 })
    const [one, two] = [store.draft(), store.draft()]
    one.table('item').set('a', 'x', 2)
    two.table('item').set('a', 'y', 2)
    expect(refusal(() => store.table('item').update('b', { x: 1, y: 1 })).draftId).toBeDefined()
    expect(store.table('item').get('b')?.x).toBeUndefined()
    one.cancel()
    two.cancel()
    expect(store.table('item').get('a')).toMatchObject({ x: 1, y: 1 })
  })

  test.each(['cancel', 'undo'] as const)('swap unique values, and %s swaps them back', async (how) => {
    const store = await open(driver())
    const before = store.table('item').all()
    const draft = store.draft()
    draft.table('item').set('a', 'slug', 'tmp')
    draft.table('item').set('b', 'slug', 'sa')
    draft.table('item').set('a', 'slug', 'sb')
    if (how === 'cancel') draft.cancel()
    else {
      draft.commit()
      expect(
        store
          .table('item')
          .all()
          .map((row) => row.slug),
      ).toEqual(['sb', 'sa'])
      store.history.undo()
    }
    expect(store.table('item').all()).toEqual(before)
    if (how === 'cancel') return
    store.history.redo()
    expect(
      store
        .table('item')
        .all()
        .map((row) => row.slug),
    ).toEqual(['sb', 'sa'])
  })

  test('lose just the cell that collides with what arrives', async () => {
    const store = await open(driver())
    const draft = store.draft()
    draft.table('item').update('a', { slug: 'wanted', rank: 10 })
    arrive(store, update('b', { slug: 'sb' }, { slug: 'wanted' }))
    expect(store.table('item').get('b')?.slug).toBe('wanted')
    expect(store.table('item').get('a')).toMatchObject({ slug: 'sa', rank: 10 })
    expect(conflictsOf(draft)).toMatchObject([{ table: 'item', key: 'a', path: 'slug', mine: 'wanted' }])
    expect(draft.changes().changes).toEqual([update('a', { rank: 1 }, { rank: 10 })])
    draft.commit()
    expect((await committedOf(store, driver())).table('item').all()).toEqual(store.table('item').all())
  })

  test('do not keep out the delete of a row that they edit', async () => {
    const store = await open(driver())
    const draft = store.draft()
    draft.table('item').set('a', 'rank', 10)
    arrive(store, {
      table: 'item',
      key: 'a',
      op: 'delete',
      before: { id: 'a', slug: 'sa', rank: 1, layerId: 'l1' },
      after: {},
    })
    expect((await committedOf(store, driver())).table('item').keys()).toEqual(['b'])
    expect(conflictsOf(draft).length).toBeGreaterThan(0)
    draft.cancel()
    expect(store.table('item').keys()).toEqual(['b'])
  })

  test('do not keep out the delete of a row that they refer to', async () => {
    const store = await open(driver())
    const draft = store.draft()
    store.table('layer').insert({ id: 'l3' })
    draft.table('item').update('a', { backId: 'l3', rank: 10 })
    arrive(store, { table: 'layer', key: 'l3', op: 'delete', before: { id: 'l3' }, after: {} })
    expect(store.table('layer').has('l3')).toBe(false)
    expect(store.table('item').get('a')?.backId).toBeUndefined()
    expect(conflictsOf(draft)).toMatchObject([{ table: 'item', key: 'a', path: 'backId', mine: 'l3' }])
    expect(rank(store)).toBe(10)
    draft.commit()
    expect((await committedOf(store, driver())).table('item').all()).toEqual(store.table('item').all())
  })

  test('are not exported', async () => {
    const store = await open(driver())
    const before = store.table('item').all()
    const draft = store.draft()
    draft.table('item').set('a', 'slug', 'sx')
    draft.table('item').insert({ id: 'c', slug: 'sa' })
    draft.table('item').delete('b')
    expect((await committedOf(store, driver())).table('item').all()).toEqual(before)
    expect(store.table('item').keys()).toEqual(['a', 'c'])
  })
})

describeEachDriver('the history', (driver) => {
  test('has one labelled step for a transaction and one for a draft', async () => {
    const store = await open(driver())
    const labels: (readonly (string | undefined)[])[] = []
    store.history.steps$.subscribe(({ done }) => labels.push(done.map((step) => step.label)))
    store.transaction(
      () => {
        store.table('item').set('a', 'rank', 2)
        store.table('item').set('b', 'rank', 3)
      },
      { label: 'Both' },
    )
    const draft = store.draft({ label: 'Drag' })
    for (let n = 0; n < 10; n++) draft.table('item').set('a', 'rank', 10 + n)
    draft.commit()
    expect(labels.at(-1)).toEqual(['Both', 'Drag'])
    expect(store.history.undo()?.label).toBe('Drag')
    expect([rank(store), rank(store, 'b')]).toEqual([2, 3])
    expect(store.history.undo()?.label).toBe('Both')
    expect([rank(store), rank(store, 'b')]).toEqual([1, 2])
    expect(store.history.undo()).toBeUndefined()
    expect(store.history.redo()?.label).toBe('Both')
    expect(store.history.redo()?.label).toBe('Drag')
    expect([rank(store), rank(store, 'b')]).toEqual([19, 3])
  })

  test("leaves someone else's later change of another cell alone, and of the same cell too", async () => {
    const store = await open(driver())
    store.table('item').update('a', { rank: 5, note: 'mine' })
    arrive(store, update('a', { x: undefined, note: 'mine' }, { x: 7, note: 'theirs' }))
    store.history.undo()
    expect(store.table('item').get('a')).toEqual({ id: 'a', slug: 'sa', rank: 1, note: 'theirs', x: 7, layerId: 'l1' })
    store.history.redo()
    expect(store.table('item').get('a')).toEqual({ id: 'a', slug: 'sa', rank: 5, note: 'theirs', x: 7, layerId: 'l1' })
  })

  test('brings back a delete with its cascades, and takes back an insert', async () => {
    const store = await open(driver())
    const [items, layers] = [store.table('item').all(), store.table('layer').all()]
    store.table('item').insert({ id: 'c', layerId: 'l1', points: [1, 2] })
    store.table('layer').delete('l1')
    expect(store.table('item').keys()).toEqual([])
    store.history.undo()
    expect(store.table('item').keys()).toEqual(['a', 'b', 'c'])
    store.history.undo()
    expect(store.table('item').all()).toEqual(items)
    expect(store.table('layer').all()).toEqual(layers)
    store.history.redo()
    store.history.redo()
    expect(store.table('item').keys()).toEqual([])
    expect(store.history.canRedo).toBe(false)
  })

  test('forgets what was undone once something else is committed, but not when something arrives', async () => {
    const store = await open(driver())
    store.table('item').set('a', 'rank', 5)
    store.history.undo()
    arrive(store, update('b', { rank: 2 }, { rank: 9 }))
    expect(store.history.canRedo).toBe(true)
    store.draft().cancel()
    expect(store.history.canRedo).toBe(true)
    store.table('item').set('b', 'note', 'x')
    expect(store.history.canRedo).toBe(false)
    expect(store.history.redo()).toBeUndefined()
  })

  test('shows an undo at once where a draft covers the cell, which it lists', async () => {
    const store = await open(driver())
    store.table('item').set('a', 'rank', 5)
    const draft = store.draft()
    draft.table('item').set('a', 'rank', 10)
    store.history.undo()
    expect(rank(store)).toBe(1)
    expect(conflictsOf(draft)).toEqual([{ table: 'item', key: 'a', path: 'rank', mine: 10, theirs: 1 }])
  })
})

describe('the identity of parts', () => {
  test('survives a REPLACE that leaves them as they are', async () => {
    const store: ItemStore = await createStore({ schema })
    store.table('item').insert({ id: 'a', rank: 1, points: [1, 2] })
    const { points } = store.table('item').get('a')!
    store.exec(sql`replace into item (id, rank, points) values ('a', 2, '[1,2]')`)
    expect(store.table('item').get('a')).toEqual({ id: 'a', rank: 2, points: [1, 2] })
    expect(store.table('item').get('a')?.points).toBe(points)
  })
})

test('a conflict says what the draft has now, after it has written the cell again', async () => {
  const store = await createStore({ schema, data: { item: [{ id: 'x', rank: 1 }] } })
  const draft = store.draft()
  const conflicts: unknown[] = []
  draft.conflicts$.subscribe((now) => conflicts.push(now.map(({ path, mine, theirs }) => [path, mine, theirs])))
  draft.table('item').set('x', 'rank', 5)
  store.table('item').set('x', 'rank', 6)
  draft.table('item').set('x', 'rank', 9)
  expect(conflicts).toEqual([[], [['rank', 5, 6]], [['rank', 9, 6]]])
  draft.take({ table: 'item', key: 'x', path: 'rank' })
  expect(store.table('item').get('x')).toMatchObject({ rank: 6 })
  expect(conflicts.at(-1)).toEqual([])
  await store.close()
})

test('a conflict kept in a transaction that is undone is a conflict again', async () => {
  const store = await createStore({ schema, data: { item: [{ id: 'x', rank: 1 }] } })
  const draft = store.draft()
  draft.table('item').set('x', 'rank', 5)
  store.table('item').set('x', 'rank', 6)
  expect(() =>
    draft.transaction(() => {
      draft.keep({ table: 'item', key: 'x', path: 'rank' })
      throw new Error('undone')
    }),
  ).toThrow('undone')
  expect(store.table('item').get('x')).toMatchObject({ rank: 6 })
  draft.keep({ table: 'item', key: 'x', path: 'rank' })
  expect(store.table('item').get('x')).toMatchObject({ rank: 5 })
  await store.close()
})

test('who begins to watch a row within a transaction learns what came of it', async () => {
  const store = await createStore({ schema, data: { item: [{ id: 'x', rank: 1 }] } })
  const items = store.table('item')
  const ranks: unknown[] = []
  store.transaction(() => {
    items.set('x', 'rank', 2)
    items.field$('x', 'rank').subscribe((rank) => ranks.push(rank))
    items.set('x', 'rank', 1)
  })
  expect(ranks).toEqual([2, 1])
  await store.close()
})

test('a value that one draft would share with another row, were a second draft cancelled, is reserved', async () => {
  const store = await createStore({
    schema,
    data: {
      item: [
        { id: 'a', x: 1, y: 0 },
        { id: 'b', x: 2, y: 2 },
      ],
    },
  })
  const [first, second] = [store.draft(), store.draft()]
  first.table('item').set('a', 'y', 2)
  second.table('item').set('a', 'x', 0)
  expect(() => first.table('item').set('b', 'x', 1)).toThrow(ConstraintError)
  second.cancel()
  expect(store.table('item').get('a')).toMatchObject({ x: 1, y: 2 })
  expect(store.table('item').get('b')).toMatchObject({ x: 2, y: 2 })
  await store.close()
})

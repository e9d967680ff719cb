import {
  createStore,
  defineSchema,
  SqlError,
  sql,
  TransactionError,
  ValidationError,
  type ChangeSet,
  type SkippedStep,
} from 'rowcast'
import { expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    group: {
      primaryKey: 'id',
      unique: [['slug']],
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, slug: { type: 'string' }, x: { type: 'integer' } },
      },
    },
    point: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
    },
  },
})

describeEachDriver('a store with drafts', (driver) => {
  const open = async () => {
    const store = await createStore({
      schema,
      driver: driver(),
      data: {
        group: [
          { id: 'g1', slug: 's1' },
          { id: 'g2', slug: 's2' },
        ],
      },
    })
    const commits: ChangeSet[] = []
    store.commits$.subscribe((set) => commits.push(set))
    return { store, groups: store.table('group'), draft: store.draft(), commits }
  }

  test('refuses a transaction that writes through a draft and outside it, and undoes all of it', async () => {
    const { store, groups, draft, commits } = await open()
    expect(() =>
      store.transaction(() => {
        draft.table('group').set('g1', 'slug', 'other')
        groups.set('g2', 'slug', 's1')
      }),
    ).toThrow(TransactionError)
    expect(groups.all()).toEqual([
      { id: 'g1', slug: 's1' },
      { id: 'g2', slug: 's2' },
    ])
    expect(draft.isDirty).toBe(false)
    expect(commits).toEqual([])
    await store.close()
  })

  test.each(['s1', 'mine'])(
    'sets an undo of a deletion aside while a draft has put the row there, and has it back after (%s)',
    async (slug) => {
      const { store, groups, draft, commits } = await open()
      groups.delete('g1')
      draft.table('group').insert({ id: 'g1', slug })
      let skipped: readonly SkippedStep[] = []
      store.history.skipped$.subscribe((steps) => (skipped = steps))
      expect(store.history.undo()).toBeUndefined()
      expect(skipped.map(({ reason }) => reason.message)).toEqual([expect.stringMatching(/exists in draft/)])
      expect(commits).toHaveLength(1)
      draft.cancel()
      store.history.undo()
      expect(commits.at(-1)!.changes).toMatchObject([{ op: 'insert', key: 'g1', after: { id: 'g1', slug: 's1' } }])
      await store.close()
    },
  )

  test('tells an undone insert as a deletion, also where a draft has deleted the row', async () => {
    const { store, groups, draft, commits } = await open()
    groups.insert({ id: 'g3', x: 3 })
    draft.table('group').delete('g3')
    store.history.undo()
    expect(commits.at(-1)!.changes).toMatchObject([{ op: 'delete', key: 'g3', before: { id: 'g3', x: 3 } }])
    await store.close()
  })

  test('keeps the row object where a value comes back within a transaction', async () => {
    const { store, groups } = await open()
    const before = groups.get('g1')
    store.transaction(() => {
      groups.set('g1', 'x', 5)
      expect(groups.get('g1')).not.toBe(before)
      groups.reset('g1', 'x')
    })
    expect(groups.get('g1')).toBe(before)
    await store.close()
  })

  test('refuses SQL that SQLite would cut short or round', async () => {
    const { store, groups } = await open()
    expect(() => store.exec({ sql: 'delete from "group"\0 where id = \'none\'' })).toThrow(SqlError)
    expect(() => store.query({ sql: 'select ?', parameters: [2n ** 63n] })).toThrow(/64 bits/)
    expect(() => store.exec(sql`insert into point (id) values (9007199254740993)`)).toThrow(ValidationError)
    expect([groups.count(), store.table('point').count()]).toEqual([2, 0])
    await store.close()
  })
})

import fc from 'fast-check'
import { ConstraintError, createStore, defineSchema, sql, type ChangeSet } from 'rowcast'
import { expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    t: {
      primaryKey: 'id',
      unique: [['code'], ['rank'], ['board', 'place']],
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          code: { type: 'string' },
          rank: { type: 'integer' },
          board: { type: 'string', default: 'main' },
          place: { type: 'integer' },
          title: { type: 'string', default: '' },
        },
      },
    },
  },
})

describeEachDriver('unique values', (driver) => {
  const open = async () => {
    const store = await createStore({
      schema,
      driver: driver(),
      data: {
        t: [
          { id: 'a', code: 'A', rank: 1, place: 1 },
          { id: 'b', code: 'B', rank: 2, place: 2 },
          { id: 'c', code: 'C', rank: 3, place: 3 },
        ],
      },
    })
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    const t = store.table('t')
    const show = (): string =>
      t
        .all()
        .map(({ id, code, rank, place }) => `${id}${code}${rank}${place}`)
        .join(' ')
    return { store, t, sets, show }
  }

  test('are passed on by a recipe for many rows, in whatever order these are', async () => {
    const { store, t, sets, show } = await open()
    expect(t.updateMany({}, (row) => void (row.rank! += 1))).toBe(3)
    expect(show()).toBe('aA21 bB32 cC43')
    t.updateMany({}, (row) => void (row.rank! -= 1))
    expect(show()).toBe('aA11 bB22 cC33')
    expect(sets.map(({ changes }) => changes.length)).toEqual([3, 3])
    store.history.undo()
    expect(show()).toBe('aA21 bB32 cC43')
    await store.close()
  })

  test('are passed on by a recipe that counts, which runs once for each row', async () => {
    const { store, t, show } = await open()
    const places = [2, 3, 1]
    let n = 0
    t.updateMany({}, (row) => {
      row.place = places[n++]!
    })
    expect(n).toBe(3)
    expect(show()).toBe('aA12 bB23 cC31')
    await store.close()
  })

  test('are passed around by an upsert, to new rows too', async () => {
    const { store, t, show } = await open()
    t.upsert([
      { id: 'a', code: 'B', rank: 2, place: 3 },
      { id: 'b', code: 'C', rank: 3, place: 1 },
      { id: 'c', code: 'A', rank: 1, place: 2 },
    ])
    expect(show()).toBe('aB23 bC31 cA12')
    t.upsert([
      { id: 'd', code: 'B' },
      { id: 'a', code: 'D' },
    ])
    expect(t.get('d')?.code).toBe('B')
    expect(t.get('a')?.code).toBe('D')
    await store.close()
  })

  test('are passed on by an UPDATE in SQL', async () => {
    const { store, show } = await open()
    expect(store.exec(sql`update t set rank = rank + 1, place = place + 1`).changes).toBe(3)
    expect(show()).toBe('aA22 bB33 cC44')
    expect(store.exec(sql`with m as (select 4 as n) update t set place = (select n from m) + 1 - place`).changes).toBe(
      3,
    )
    expect(show()).toBe('aA23 bB32 cC41')
    await store.close()
  })

  test('are passed on within a draft, which can be cancelled or committed', async () => {
    for (const end of ['cancel', 'commit'] as const) {
      const { store, show } = await open()
      const draft = store.draft()
      draft.table('t').updateMany({}, (row) => void (row.rank! += 1))
      expect(show()).toBe('aA21 bB32 cC43')
      draft.table('t').upsert([
        { id: 'a', code: 'B', rank: 2, place: 1 },
        { id: 'b', code: 'A', rank: 3, place: 2 },
      ])
      draft[end]()
      expect(show()).toBe(end === 'commit' ? 'aB21 bA32 cC43' : 'aA11 bB22 cC33')
      await store.close()
    }
  })

  test('are passed on within a transaction, of which nothing is left if it throws', async () => {
    const { store, t, sets, show } = await open()
    expect(() =>
      store.transaction(() => {
        t.updateMany({}, (row) => void (row.rank! += 1))
        expect(t.count()).toBe(3)
        throw new Error('not so')
      }),
    ).toThrow('not so')
    expect(show()).toBe('aA11 bB22 cC33')
    expect(sets).toEqual([])
    store.transaction(() => {
      t.set('a', 'title', 'x')
      t.updateMany({}, (row) => void (row.rank! += 1))
    })
    expect(show()).toBe('aA21 bB32 cC43')
    await store.close()
  })

  test('that two rows have in the end are refused, and nothing has changed', async () => {
    const { store, t, sets, show } = await open()
    const calls = [
      () => t.updateMany({}, { code: 'same' }),
      () => t.updateMany({}, (row) => void (row.rank = Math.max(2, row.rank!))),
      () =>
        t.upsert([
          { id: 'a', code: 'C' },
          { id: 'b', code: 'A' },
        ]),
      () => store.exec(sql`update t set place = max(place, 2)`),
    ]
    for (const call of calls) expect(call).toThrow(ConstraintError)
    expect(show()).toBe('aA11 bB22 cC33')
    expect(sets).toEqual([])
    // The constraints are all there again.
    expect(() => t.insert({ id: 'x', code: 'A' })).toThrow(ConstraintError)
    expect(() => t.insert({ id: 'x', rank: 1 })).toThrow(ConstraintError)
    expect(() => t.insert({ id: 'x', place: 1 })).toThrow(ConstraintError)
    await store.close()
  })

  test('whatever is written in one call, it is done if and only if the state after it is valid', async () => {
    const { store, t } = await open()
    const start = store.export()
    const value = fc.integer({ min: 1, max: 4 })
    const row = fc.record({ code: fc.constantFrom('A', 'B', 'C', 'D'), rank: value, place: value })
    const how = fc.constantFrom('upsert', 'updateMany', 'exec')
    await fc.assert(
      fc.asyncProperty(row, row, row, how, async (a, b, c, how) => {
        const next = { a, b, c }
        const isValid = (['code', 'rank', 'place'] as const).every((of) => new Set([a[of], b[of], c[of]]).size === 3)
        const before = JSON.stringify(t.all())
        let isDone = true
        try {
          if (how === 'upsert') t.upsert(Object.entries(next).map(([id, cells]) => ({ id, ...cells })))
          else if (how === 'updateMany') t.updateMany({}, (one) => void Object.assign(one, next[one.id as 'a']))
          else {
            const json = JSON.stringify(next)
            store.exec(
              sql`update t set code = json_extract(${json}, '$.' || id || '.code'), rank = json_extract(${json}, '$.' || id || '.rank'), place = json_extract(${json}, '$.' || id || '.place')`,
            )
          }
        } catch (error) {
          if (!(error instanceof ConstraintError)) throw error
          isDone = false
        }
        expect(isDone).toBe(isValid)
        expect(JSON.stringify(t.all())).toBe(
          isValid ? JSON.stringify(Object.entries(next).map(([id, cells]) => ({ ...t.get(id), ...cells }))) : before,
        )
        store.import(start)
      }),
      { numRuns: 60 },
    )
    await store.close()
  })
})

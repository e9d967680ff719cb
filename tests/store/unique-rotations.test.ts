import fc from 'fast-check'
import { ConstraintError, createStore, defineSchema, sql, type ChangeSet } from 'rowcast'
import { expect, test } from 'vitest'
import { countingDriver, describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    t: {
      primaryKey: 'id',
      unique: [['rank'], ['board', 'place'], ['box.slot']],
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          rank: { type: 'number', default: 0 },
          board: { type: 'string', default: 'main' },
          place: { type: ['integer', 'null'] },
          box: { type: ['object', 'null'], properties: { slot: { type: 'string', default: 'first' } } },
        },
      },
    },
    log: {
      primaryKey: 'n',
      schema: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
    },
  },
})

interface Row {
  id: string
  rank: number
  board: string
  place?: number | null
  box: { slot: string } | null
}

/** Whether no two rows have the same in a unique index. NULL, or nothing, is like no other. */
function isUnique(rows: readonly Row[]): boolean {
  const tuples = [
    rows.map(({ rank }) => [rank]),
    rows.map(({ board, place }) => [board, place]),
    rows.map(({ box }) => [box?.slot]),
  ]
  return tuples.every((list) => {
    const full = list
      .filter((tuple) => tuple.every((value) => value !== undefined && value !== null))
      .map((tuple) => JSON.stringify(tuple))
    return new Set(full).size === full.length
  })
}

const find = (rows: readonly Row[], id: string): Row | undefined => rows.find((row) => row.id === id)

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describeEachDriver('rows that pass unique values on', (driver) => {
  const open = async () => {
    const { driver: counted, executed, work } = countingDriver(driver())
    const store = await createStore({
      schema,
      driver: counted,
      data: {
        t: [
          { id: 'a', rank: 0, place: 1, box: { slot: 'first' } },
          { id: 'b', rank: 1, place: 2, box: { slot: 'second' } },
          { id: 'c', rank: 2, place: 3, box: null },
        ],
      },
    })
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    const t = store.table('t')
    const remade = (): number => executed.filter((text) => text.startsWith('CREATE UNIQUE INDEX')).length
    return { store, t, sets, remade, work }
  }

  test('cost what their own writes cost: no index is made anew', async () => {
    const { store, t, remade, work } = await open()
    t.insert(Array.from({ length: 50 }, (_, n) => ({ id: `x${n}`, rank: 10 + n, place: 10 + n })))
    const atFirst = remade()
    const runs = work.runs
    t.upsert([
      { ...t.get('a')!, rank: 1 },
      { ...t.get('b')!, rank: 0 },
    ])
    let n = 0
    t.updateMany(['a', 'b'], (row) => void (row.rank = n++))
    expect(work.runs - runs).toBeLessThan(20)
    expect(remade()).toBe(atFirst)
    await store.close()
  })

  test('tell of what they have become alone, and are the same objects where nothing else has changed', async () => {
    const { store, t, sets } = await open()
    const { a, b, c } = { a: t.get('a')!, b: t.get('b')!, c: t.get('c') }
    t.upsert([
      { ...a, rank: 1, box: { slot: 'second' } },
      { ...b, rank: 0, box: { slot: 'first' } },
    ])
    expect(sets.map(({ changes }) => changes)).toEqual([
      [
        {
          table: 't',
          key: 'a',
          op: 'update',
          before: { rank: 0, 'box.slot': 'first' },
          after: { rank: 1, 'box.slot': 'second' },
        },
        {
          table: 't',
          key: 'b',
          op: 'update',
          before: { rank: 1, 'box.slot': 'second' },
          after: { rank: 0, 'box.slot': 'first' },
        },
      ],
    ])
    expect(t.get('c')).toBe(c)
    store.history.undo()
    expect([t.get('a'), t.get('b')]).toEqual([a, b])
    await store.close()
  })

  test('pass a default on to an object that comes into being', async () => {
    const { store, t, sets } = await open()
    t.upsert([
      { id: 'c', rank: 2, place: 3, box: {} },
      { id: 'a', rank: 0, place: 1, box: null },
      { id: 'd', rank: 9, place: 3, board: 'other' },
    ])
    expect(t.get('c')?.box).toEqual({ slot: 'first' })
    expect(t.get('a')?.box).toBeNull()
    t.updateMany(['a', 'c'], (row) => {
      if (row.id === 'a') row.box = { slot: 'first' }
      else row.box = null
    })
    expect(t.get('a')?.box).toEqual({ slot: 'first' })
    expect(t.get('c')?.box).toBeNull()
    expect(JSON.stringify(sets)).not.toContain('rowcast')
    await store.close()
  })

  test('are what they are given last, where a key is given twice', async () => {
    const { store, t } = await open()
    t.upsert([
      { id: 'c', rank: 2, box: { slot: 'first' } },
      { id: 'c', rank: 2, box: null },
    ])
    expect([t.get('a')?.box, t.get('c')?.box]).toEqual([{ slot: 'first' }, null])
    await store.close()
  })

  test('pass them on to a row that is inserted, of which nothing else is told', async () => {
    const { store, t, sets } = await open()
    const keys = t.upsert([
      { id: 'd', place: 1 },
      { id: 'a', rank: 5, place: 7 },
    ])
    expect(keys).toEqual(['d', 'a'])
    expect(sets[0]!.changes[0]).toEqual({
      table: 't',
      key: 'd',
      op: 'insert',
      before: {},
      after: { id: 'd', place: 1 },
    })
    expect(t.get('d')).toEqual({ id: 'd', rank: 0, board: 'main', place: 1 })
    await store.close()
  })

  test('are seen by a recipe as they are meant to be, wherever it looks', async () => {
    const { store, t } = await open()
    const seen: unknown[] = []
    const live = t.live({ orderBy: 'rank' })
    t.updateMany(['a', 'b', 'c'], (row) => {
      seen.push([
        t.all().map(({ rank }) => rank),
        store.query(sql`select rank from t order by id`).map(({ rank }) => rank),
        live.rows.map(({ rank }) => rank),
        t.count({ rank: { gte: 0 } }),
      ])
      row.rank! += 1
    })
    expect(seen).toEqual([
      [[0, 1, 2], [0, 1, 2], [0, 1, 2], 3],
      [[1, 1, 2], [1, 1, 2], [1, 1, 2], 3],
      [[1, 2, 2], [1, 2, 2], [1, 2, 2], 3],
    ])
    expect(() => t.insert({ id: 'x', rank: 3 })).toThrow(ConstraintError)
    await store.close()
  })

  test('are seen by a subscriber that comes while a recipe runs', async () => {
    const { store, t } = await open()
    const row$ = t.row$('a')
    const count$ = t.count$({ rank: { gte: 0 } })
    const live = t.live({ where: { rank: { gte: 0 } } })
    for (const follow of [
      (see: (seen: unknown) => void) => row$.subscribe((row) => see(row?.rank)),
      (see: (seen: unknown) => void) => count$.subscribe(see),
      (see: (seen: unknown) => void) => live.rows$.subscribe((rows) => see(rows.map(({ rank }) => rank))),
    ]) {
      const seen: unknown[] = []
      t.updateMany(['a', 'b', 'c'], (row) => {
        if (row.id === 'b') follow((one) => seen.push(one)).unsubscribe()
        row.rank! += 1
      })
      expect(JSON.stringify(seen)).not.toMatch(/e\+3|-/)
      expect(seen).not.toContain(2)
    }
    await store.close()
  })

  test('may be of a recipe that writes elsewhere, and of keys that are given twice', async () => {
    const { store, t, sets } = await open()
    let n = 0
    t.updateMany(['a', 'b', 'a', 'c'], (row) => {
      store.table('log').insert({ n: n++ })
      row.rank! += row.id === 'b' ? 3 : 1
    })
    expect(n).toBe(4)
    expect(t.all().map(({ rank }) => rank)).toEqual([2, 4, 3])
    expect(sets).toHaveLength(1)
    await store.close()
  })

  test('are what a draft tells, and cancels', async () => {
    const { store, t } = await open()
    const draft = store.draft()
    draft.table('t').upsert([
      { ...t.get('a')!, rank: 1 },
      { ...t.get('b')!, rank: 0 },
    ])
    expect(draft.changes().changes.map(({ after }) => after)).toEqual([{ rank: 1 }, { rank: 0 }])
    draft.cancel()
    expect(t.all().map(({ rank }) => rank)).toEqual([0, 1, 2])
    await store.close()
  })

  test('come to what a plain object comes to, and tell the difference', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e']
    const cells = fc.record(
      {
        rank: fc.integer({ min: 0, max: 5 }),
        board: fc.constantFrom('main', 'side'),
        place: fc.option(fc.integer({ min: 1, max: 3 })),
        box: fc.option(fc.record({ slot: fc.constantFrom('first', 'second', 'third') })),
      },
      { requiredKeys: ['rank', 'board', 'box'] },
    )
    const table = fc.uniqueArray(
      fc.tuple(fc.constantFrom(...ids), cells).map(([id, row]): Row => ({ id, ...row })),
      { selector: ({ id }) => id, maxLength: 5 },
    )
    const call = fc.record({
      how: fc.constantFrom('upsert', 'updateMany', 'rotate'),
      rows: fc.array(
        fc.tuple(fc.constantFrom(...ids), cells).map(([id, row]): Row => ({ id, ...row })),
        { minLength: 2, maxLength: 6 },
      ),
      inTransaction: fc.boolean(),
      looks: fc.boolean(),
    })
    const store = await createStore({ schema, driver: driver() })
    const t = store.table('t')
    const empty = store.export()
    const shown = (): unknown => plain(t.all())
    const sorted = (rows: Iterable<Row>): unknown => plain([...rows].toSorted((a, b) => (a.id < b.id ? -1 : 1)))
    let done = 0
    fc.assert(
      fc.property(table, fc.array(call, { minLength: 1, maxLength: 4 }), (start, calls) => {
        store.import(empty)
        fc.pre(isUnique(start))
        t.insert(start as never)
        let model = new Map(start.map((row) => [row.id, row]))
        for (const { how, rows, inTransaction, looks } of calls) {
          const next = new Map(model)
          let run: () => unknown
          if (how === 'upsert') {
            for (const row of rows) next.set(row.id, row)
            run = () => t.upsert(rows as never)
          } else {
            const keys = rows.map(({ id }) => id).filter((id) => model.has(id))
            // Each has what the next had, or what was drawn for it.
            const given = keys.map((id, n): Row => {
              const from = how === 'rotate' ? model.get(keys[(n + 1) % keys.length]!)! : rows[n]!
              return { ...from, id }
            })
            for (const row of given) next.set(row.id, row)
            let at = 0
            run = () =>
              t.updateMany(keys, (row) => {
                if (looks) expect(JSON.stringify(t.all())).not.toMatch(/rowcast|-9/)
                const { board, rank, place, box } = given[at++]!
                Object.assign(row, { board, rank, box })
                if (place === undefined) delete row.place
                else row.place = place
              })
          }
          const sets: ChangeSet[] = []
          const following = store.changes$.subscribe((set) => sets.push(set))
          const before = new Map((shown() as Row[]).map((row) => [row.id, row]))
          let isDone = true
          try {
            if (inTransaction) store.transaction(() => void run())
            else run()
          } catch (error) {
            if (!(error instanceof ConstraintError)) throw error
            isDone = false
          }
          following.unsubscribe()
          expect(isDone).toBe(isUnique([...next.values()]))
          if (isDone) model = next
          if (isDone) done++
          expect(shown()).toEqual(sorted(model.values()))
          expect(JSON.stringify(sets)).not.toMatch(/rowcast|e\+3|-9/)
          const after = shown() as Row[]
          const differs = (id: string): boolean => JSON.stringify(before.get(id)) !== JSON.stringify(find(after, id))
          const told = sets.flatMap(({ changes }) => changes)
          expect(new Set(told.map(({ key }) => key))).toEqual(new Set(ids.filter(differs)))
          expect(sets).toHaveLength(told.length > 0 ? 1 : 0)
          for (const change of told) {
            const was = before.get(change.key as string)
            expect(change.op).toBe(was ? 'update' : 'insert')
            for (const path of ['rank', 'board', 'place'] as const)
              if (was && Object.hasOwn(change.after, path)) {
                expect(change.before[path]).toBe(was[path])
                expect(change.after[path]).toBe(find(after, change.key as string)![path])
              }
          }
        }
      }),
      { numRuns: 150 },
    )
    expect(done).toBeGreaterThan(20)
    await store.close()
  })
})

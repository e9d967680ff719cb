import { sql } from 'kysely'
import { ConstraintError, SqlError, StoreClosedError, TransactionError, ValidationError, type ChangeSet } from 'rowcast'
import { createKysely, exec, live, run } from 'rowcast/kysely'
import { createMemoryStore } from 'rowcast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'
import { schema } from './map-schema.ts'

const big = 2n ** 60n + 1n

describeEachDriver('Kysely', (driver) => {
  async function open() {
    const position = { x: 1, y: 2 }
    const store = await createMemoryStore(
      schema,
      {
        layer: [
          { id: 'r', name: 'Roads' },
          { id: 'w', name: 'Water' },
        ],
        annotation: [
          { id: 1, layerId: 'r', position, text: { font: { size: 20 } } },
          {
            id: 2,
            layerId: 'w',
            position,
            big,
            visible: false,
            image: new Uint8Array([7]),
            note: null,
            points: [1, 2],
          },
          { id: 3, layerId: 'r', position: { ...position, z: 3 }, link: { url: 'u' }, big: 5n },
        ],
      },
      { driver: driver() },
    )
    onTestFinished(() => store.close())
    const changes: ChangeSet[] = []
    store.changes$.subscribe((set) => changes.push(set))
    return { store, db: createKysely(store), changes }
  }

  test('joins, filters, groups and orders at once', async () => {
    const { store, db } = await open()
    const rows = run(
      store,
      db
        .selectFrom('annotation as a')
        .innerJoin('layer', 'layer.id', 'a.layerId')
        .where('a.text_font_size', '>=', 12)
        .groupBy('layer.name')
        .select(({ fn }) => ['layer.name', fn.countAll<number>().as('n'), fn.max('a.text_font_size').as('largest')])
        .orderBy('n', 'desc'),
    )
    expect(rows).toEqual([
      { name: 'Roads', n: 2, largest: 20 },
      { name: 'Water', n: 1, largest: 12 },
    ])
  })

  test('reads every kind of column as its type says', async () => {
    const { store, db } = await open()
    const columns = ['visible', 'big', 'image', 'note', 'position_z', 'link', 'link_url', 'points', '_rest'] as const
    expect(run(store, db.selectFrom('annotation').select(columns).orderBy('id'))).toEqual([
      {
        visible: 1,
        big: null,
        image: null,
        note: 'none',
        position_z: null,
        link: null,
        link_url: null,
        points: '[]',
        _rest: null,
      },
      {
        visible: 0,
        big,
        image: new Uint8Array([7]),
        note: null,
        position_z: null,
        link: null,
        link_url: null,
        points: '[1,2]',
        _rest: null,
      },
      {
        visible: 1,
        big: 5,
        image: null,
        note: 'none',
        position_z: 3,
        link: 1,
        link_url: 'u',
        points: '[]',
        _rest: null,
      },
    ])
    expect(run(store, db.selectFrom('annotation').select('id').where('big', '=', big))).toEqual([{ id: 2 }])
    expect(run(store, db.selectFrom('scene').selectAll())).toEqual([{ title: 'Untitled', grid: null }])
  })

  test('has exactly the columns that the types say', async () => {
    const { store, db } = await open()
    const row = run(store, db.selectFrom('annotation').selectAll().limit(1))[0]!
    // The type of each member is in tests/types/kysely.test-d.ts.
    const named: { [K in keyof typeof row]: true } = {
      id: true,
      layerId: true,
      kind: true,
      visible: true,
      big: true,
      image: true,
      either: true,
      note: true,
      text_value: true,
      text_font_size: true,
      position_x: true,
      position_y: true,
      position_z: true,
      link: true,
      link_url: true,
      shape: true,
      range: true,
      counts: true,
      counts_all: true,
      parent: true,
      parent_name: true,
      parent_parent: true,
      points: true,
      meta: true,
      anything: true,
      _rest: true,
    }
    expect(Object.keys(row).toSorted()).toEqual(Object.keys(named).toSorted())
  })

  test('captures what it inserts, updates and deletes, to be undone', async () => {
    const { store, db, changes } = await open()
    const insert = db.insertInto('annotation').values([
      { id: 4, layerId: 'w', position_x: 0, position_y: 0, visible: false, big: big + 1n, points: '[3]' },
      { id: 5, layerId: 'w', position_x: 0, position_y: 0, image: new Uint8Array([1]), link: 1, link_url: 'v' },
    ])
    expect(exec(store, insert)).toEqual({ changes: 2, rows: [] })
    expect(store.table('annotation').get(4)).toMatchObject({ visible: false, big: big + 1n, points: [3] })
    expect(store.table('annotation').get(5)).toMatchObject({ image: new Uint8Array([1]), link: { url: 'v' } })
    const update = db.updateTable('annotation').set({ text_font_size: 30 }).where('layerId', '=', 'r')
    expect(exec(store, update.returning(['id', 'text_font_size']))).toEqual({
      changes: 2,
      rows: [
        { id: 1, text_font_size: 30 },
        { id: 3, text_font_size: 30 },
      ],
    })
    // With the two rows that refer to it.
    expect(exec(store, db.deleteFrom('layer').where('id', '=', 'r')).changes).toBe(3)
    expect(changes.map((set) => set.changes.map(({ op, key }) => [op, key]))).toEqual([
      [
        ['insert', 4],
        ['insert', 5],
      ],
      [
        ['update', 1],
        ['update', 3],
      ],
      expect.arrayContaining([
        ['delete', 'r'],
        ['delete', 1],
        ['delete', 3],
      ]),
    ])
    store.history.undo()
    store.history.undo()
    expect(store.table('annotation').get(1)?.text.font.size).toBe(20)
  })

  test('puts a column back to its default by NULL', async () => {
    const { store, db } = await open()
    exec(store, db.updateTable('annotation').set({ text_font_size: null, link: null }))
    expect(run(store, db.selectFrom('annotation').select(['text_font_size', 'link_url']).distinct())).toEqual([
      { text_font_size: 12, link_url: null },
    ])
  })

  test('follows a live query, unchanged rows being the same objects', async () => {
    const { store, db } = await open()
    const query = live(store, db.selectFrom('annotation').select(['id', 'text_font_size as size']).orderBy('size'))
    const results: (typeof query.rows)[] = []
    query.rows$.subscribe((rows) => results.push(rows))
    store.table('annotation').set(2, 'visible', true)
    expect(results).toHaveLength(1)
    store.table('annotation').set(2, 'text.font.size', 50)
    expect(results).toHaveLength(2)
    expect(results[1]).toEqual([
      { id: 3, size: 12 },
      { id: 1, size: 20 },
      { id: 2, size: 50 },
    ])
    expect(results[1]![1]).toBe(results[0]!.find(({ id }) => id === 1))
    query.close()
  })

  test('runs by execute() as well', async () => {
    const { store, db } = await open()
    expect(await db.selectFrom('layer').select('name').orderBy('name').execute()).toEqual([
      { name: 'Roads' },
      { name: 'Water' },
    ])
    const updated = await db.updateTable('layer').set({ name: 'Rivers' }).where('id', '=', 'w').executeTakeFirst()
    expect(updated.numUpdatedRows).toBe(1n)
    const raw = await sql<{ name: string }>`
      with one as (select 'w' as id) update layer set name = upper(name) where id in (select id from one) returning name`.execute(
      db,
    )
    expect(raw).toMatchObject({ rows: [{ name: 'RIVERS' }], numAffectedRows: 1n })
    const streamed: unknown[] = []
    for await (const row of db.selectFrom('layer').select('id').stream()) streamed.push(row)
    expect(streamed).toEqual([{ id: 'r' }, { id: 'w' }])
    await db.destroy()
    expect(store.closed).toBe(false)
  })

  test('writes into a draft, and reads through it', async () => {
    const { store, db, changes } = await open()
    const draft = store.draft()
    const inDraft = createKysely(draft)
    exec(draft, db.updateTable('layer').set({ name: 'Paths' }).where('id', '=', 'r'))
    await inDraft.insertInto('layer').values({ id: 'x', name: 'X' }).execute()
    expect(run(draft, db.selectFrom('layer').select('name').orderBy('id'))).toEqual([
      { name: 'Paths' },
      { name: 'Water' },
      { name: 'X' },
    ])
    expect(live(draft, db.selectFrom('layer').selectAll()).rows).toHaveLength(3)
    expect(changes.every((set) => set.draftId === draft.id)).toBe(true)
    draft.cancel()
    expect(run(store, db.selectFrom('layer').select('name'))).toEqual([{ name: 'Roads' }, { name: 'Water' }])
  })

  test('hands on the errors of the store, and changes nothing', async () => {
    const { store, db, changes } = await open()
    const tooSmall = db.updateTable('annotation').set({ text_font_size: 0 })
    expect(() => exec(store, tooSmall)).toThrow(ValidationError)
    await expect(tooSmall.execute()).rejects.toThrow(ValidationError)
    const orphan = db.updateTable('annotation').set({ layerId: 'nowhere' })
    expect(() => exec(store, orphan)).toThrow(ConstraintError)
    await expect(orphan.execute()).rejects.toThrow(ConstraintError)
    expect(() => run(store, tooSmall)).toThrow(/use exec/)
    expect(() => exec(store, db.selectFrom('layer').selectAll())).toThrow(/use query/)
    expect(changes).toEqual([])
  })

  test('refuses what belongs to the store: transactions, tables, introspection', async () => {
    const { store, db, changes } = await open()
    const inside = db.transaction().execute((tx) => tx.deleteFrom('layer').execute())
    await expect(inside).rejects.toThrow(TransactionError)
    await expect(db.startTransaction().execute()).rejects.toThrow(/use store\.transaction/)
    await expect(db.schema.dropTable('layer').execute()).rejects.toThrow(SqlError)
    await expect(db.introspection.getTables()).rejects.toThrow(SqlError)
    await expect(sql`begin`.execute(db)).rejects.toThrow(/use store\.transaction/)
    expect(changes).toEqual([])
    expect(run(store, db.selectFrom('layer').selectAll())).toHaveLength(2)
  })

  test("takes part in the store's own transactions", async () => {
    const { store, db, changes } = await open()
    store.transaction(() => {
      exec(store, db.insertInto('layer').values({ id: 'x', name: 'X' }))
      exec(store, db.updateTable('annotation').set({ layerId: 'x' }).where('layerId', '=', 'w'))
    })
    expect(changes).toHaveLength(1)
    expect(() =>
      store.transaction(() => {
        exec(store, db.deleteFrom('layer'))
        throw new Error('enough')
      }),
    ).toThrow('enough')
    expect(run(store, db.selectFrom('layer').select('id').orderBy('id'))).toHaveLength(3)
  })

  test('a closed store says so', async () => {
    const { store, db } = await open()
    await store.close()
    expect(() => run(store, db.selectFrom('layer').selectAll())).toThrow(StoreClosedError)
    await expect(db.selectFrom('layer').selectAll().execute()).rejects.toThrow(StoreClosedError)
  })
})

import {
  ConstraintError,
  createStore,
  defineSchema,
  ReadOnlyError,
  RowcastError,
  sql,
  SqlError,
  ValidationError,
  type ChangeSet,
  type SqliteDriverFactory,
} from 'rowcast'
import { expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    layer: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, name: { type: 'string', default: 'layer', maxLength: 10 } },
      },
    },
    item: {
      primaryKey: 'id',
      unique: [['slug']],
      references: { layerId: { table: 'layer', onDelete: 'cascade' }, parent: { table: 'item', onDelete: 'setNull' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'integer' },
          layerId: { type: 'string' },
          parent: { type: ['integer', 'null'] },
          slug: { type: 'string' },
          rank: { type: 'integer', minimum: 0, default: 7 },
          big: { type: 'integer', format: 'int64' },
          ratio: { type: 'number' },
          on: { type: 'boolean', default: true },
          text: { type: 'object', properties: { size: { type: 'number', default: 12, maximum: 100 } } },
          points: { type: 'array', items: { type: 'object', required: ['x'], properties: { x: { type: 'number' } } } },
          image: { type: 'string', contentEncoding: 'base64' },
        },
      },
    },
    pair: {
      primaryKey: ['a', 'b'],
      schema: {
        type: 'object',
        required: ['a', 'b'],
        properties: { a: { type: 'string' }, b: { type: 'integer' }, value: { type: 'string', default: 'v' } },
      },
    },
    scene: {
      singleton: true,
      schema: { type: 'object', properties: { zoom: { type: 'number', default: 1, minimum: 0 } } },
    },
  },
})

async function open(driver: SqliteDriverFactory) {
  const store = await createStore({ schema, driver })
  store.table('layer').insert([{ id: 'l1' }, { id: 'l2', name: 'roads' }])
  store.table('item').insert([
    { id: 1, layerId: 'l1', slug: 'one' },
    { id: 2, layerId: 'l2', slug: 'two', rank: 2, parent: 1 },
    { id: 3, slug: 'three', text: { size: 20 } },
  ])
  const sets: ChangeSet[] = []
  store.changes$.subscribe((set) => sets.push(set))
  /** The changes since last asked, in a stable order. */
  const heard = () => {
    expect(sets.length).toBeLessThanOrEqual(1)
    const changes = sets.splice(0).flatMap((set) => set.changes)
    return [...changes].toSorted((a, b) =>
      `${a.table} ${JSON.stringify(a.key)}` < `${b.table} ${JSON.stringify(b.key)}` ? -1 : 1,
    )
  }
  return { store, items: store.table('item'), heard }
}

/** All that can be seen of a store. */
const stateOf = (store: Awaited<ReturnType<typeof open>>['store']) => ({
  layer: store.table('layer').all(),
  item: store.table('item').all(),
  pair: store.table('pair').all(),
  scene: store.value('scene').get(),
})

describeEachDriver('raw SQL', (driver) => {
  test('inserts with VALUES, with SELECT and with DEFAULT left out, and is captured', async () => {
    const { store, items, heard } = await open(driver())
    expect(
      store.exec(
        sql`insert into item (id, slug, rank, points) values (${10}, ${'ten'}, ${7}, ${'[{"x":1}]'}), (11, 'eleven', 8, null)`,
      ),
    ).toEqual({ changes: 2, rows: [] })
    expect(items.get(10)).toEqual({ id: 10, slug: 'ten', rank: 7, on: true, text: { size: 12 }, points: [{ x: 1 }] })
    expect(heard()).toEqual([
      { table: 'item', key: 10, op: 'insert', before: {}, after: { id: 10, slug: 'ten', points: [{ x: 1 }] } },
      { table: 'item', key: 11, op: 'insert', before: {}, after: { id: 11, slug: 'eleven', rank: 8 } },
    ])
    expect(
      store.exec(sql`insert into item (id, slug, layerId) select id + 100, slug || '+', layerId from item where id < 3`)
        .changes,
    ).toBe(2)
    expect(heard().map((change) => [change.key, change.after])).toEqual([
      [101, { id: 101, slug: 'one+', layerId: 'l1' }],
      [102, { id: 102, slug: 'two+', layerId: 'l2' }],
    ])
    expect(store.exec(sql`insert or ignore into item (id, slug) values (1, 'again'), (12, 'twelve')`).changes).toBe(1)
    expect(items.get(1)?.slug).toBe('one')
    expect(items.get(12)?.slug).toBe('twelve')
  })

  test('gives the rows of RETURNING', async () => {
    const { store, heard } = await open(driver())
    expect(store.exec(sql`insert into layer (id, name) values ('l3', 'n') returning id, upper(name) as loud`)).toEqual({
      changes: 1,
      rows: [{ id: 'l3', loud: 'N' }],
    })
    expect(store.exec(sql`update item set rank = rank + 1 where id < 3 returning id, rank`).rows).toEqual([
      { id: 1, rank: 8 },
      { id: 2, rank: 3 },
    ])
    expect(store.exec(sql`delete from item where id = 3 returning id, slug, text_size`)).toEqual({
      changes: 1,
      rows: [{ id: 3, slug: 'three', text_size: 20 }],
    })
    expect(heard.length).toBe(0)
  })

  test('updates one column, several, from another table, with a CTE, many rows', async () => {
    const { store, items, heard } = await open(driver())
    expect(store.exec(sql`update item set rank = 9, text_size = 13 where id = 1`)).toEqual({ changes: 1, rows: [] })
    expect(heard()).toEqual([
      {
        table: 'item',
        key: 1,
        op: 'update',
        before: { rank: 7, 'text.size': 12 },
        after: { rank: 9, 'text.size': 13 },
      },
    ])
    expect(
      store.exec(sql`update item set slug = layer.name || item.id from layer where layer.id = item.layerId`).changes,
    ).toBe(2)
    expect(items.find({ where: { id: { lte: 2 } } }).map((row) => row.slug)).toEqual(['layer1', 'roads2'])
    heard()
    expect(
      store.exec(
        sql`with big as (select id from item where rank > 5) update item set rank = 0 where id in (select id from big)`,
      ).changes,
    ).toBe(2)
    expect(heard().map((change) => change.key)).toEqual([1, 3])
    expect(store.exec(sql`update item set rank = 0 where id = 1`).changes).toBe(0)
    expect(heard()).toEqual([])
    expect(store.exec(sql`update item set rank = 7`).changes).toBe(3)
    expect(heard().map((change) => change.after)).toEqual([{ rank: 7 }, { rank: 7 }, { rank: 7 }])
    expect(store.exec(sql`update item set "on" = 0 where id = 1`).changes).toBe(1)
    expect(items.get(1)?.on).toBe(false)
  })

  test('replaces rows, by REPLACE and by INSERT OR REPLACE, also one that collides on a unique column', async () => {
    const { store, items, heard } = await open(driver())
    expect(store.exec(sql`replace into layer (id, name) values ('l2', 'new')`).changes).toBeGreaterThanOrEqual(1)
    expect(store.table('layer').get('l2')).toEqual({ id: 'l2', name: 'new' })
    heard()
    expect(store.exec(sql`insert or replace into item (id, slug) values (3, 'trois')`).changes).toBe(1)
    expect(heard()).toEqual([
      {
        table: 'item',
        key: 3,
        op: 'update',
        before: { slug: 'three', 'text.size': 20 },
        after: { slug: 'trois', 'text.size': 12 },
      },
    ])
    store.exec(sql`insert or replace into item (id, slug) values (4, 'trois')`)
    expect(items.has(3)).toBe(false)
    expect(heard().map(({ key, op }) => [key, op])).toEqual([
      [3, 'delete'],
      [4, 'insert'],
    ])
  })

  test('deletes with what the references say, and all of it is captured', async () => {
    const { store, items, heard } = await open(driver())
    expect(store.exec(sql`delete from layer where id = 'l1'`).changes).toBe(3)
    expect(heard()).toEqual([
      { table: 'item', key: 1, op: 'delete', before: { id: 1, layerId: 'l1', slug: 'one' }, after: {} },
      { table: 'item', key: 2, op: 'update', before: { parent: 1 }, after: { parent: undefined } },
      { table: 'layer', key: 'l1', op: 'delete', before: { id: 'l1' }, after: {} },
    ])
    expect(items.get(2)).not.toHaveProperty('parent')
  })

  test('captures a changed key as a delete and an insert', async () => {
    const { store, items, heard } = await open(driver())
    const row = items.get(3)
    expect(store.exec(sql`update item set id = 30 where id = 3`).changes).toBe(2)
    expect(heard()).toEqual([
      { table: 'item', key: 3, op: 'delete', before: { id: 3, slug: 'three', 'text.size': 20 }, after: {} },
      { table: 'item', key: 30, op: 'insert', before: {}, after: { id: 30, slug: 'three', 'text.size': 20 } },
    ])
    expect(items.get(3)).toBeUndefined()
    expect(items.get(30)).toEqual({ ...row, id: 30 })
    store.table('pair').insert({ a: 'x', b: 1, value: 'w' })
    heard()
    store.exec(sql`update pair set b = 2`)
    expect(store.table('pair').get(['x', 1])).toBeUndefined()
    expect(store.table('pair').get(['x', 2])).toEqual({ a: 'x', b: 2, value: 'w' })
    expect(heard().map(({ key, op }) => [key, op])).toEqual([
      [['x', 1], 'delete'],
      [['x', 2], 'insert'],
    ])
    store.exec(sql`update layer set id = 'l9' where id = 'l1' and not exists (select 1 from item where layerId = 'l1')`)
    expect(heard()).toEqual([])
  })

  test('writes a singleton, and several rows shift their keys in one statement', async () => {
    const { store, items } = await open(driver())
    store.value('scene').set('zoom', 3)
    expect(store.exec(sql`update scene set zoom = 2`).changes).toBe(1)
    expect(store.value('scene').get()).toEqual({ zoom: 2 })
    expect(() => store.exec(sql`update scene set zoom = -1`)).toThrow(ValidationError)
    expect(store.value('scene').get()).toEqual({ zoom: 2 })
    store.exec(sql`update item set parent = null`)
    store.exec(sql`update item set id = id + 10`)
    expect(items.keys()).toEqual([11, 12, 13])
    expect(items.get(12)?.slug).toBe('two')
  })

  test('is rolled back whole by what the schema refuses, naming table, key, path and keyword', async () => {
    const { store, heard } = await open(driver())
    const before = stateOf(store)
    const refused: [statement: ReturnType<typeof sql>, key: unknown, path: string, keyword: string | RegExp][] = [
      [sql`update item set rank = -1 where id = 2`, 2, 'rank', 'minimum'],
      [sql`update item set rank = rank - 5`, 2, 'rank', 'minimum'],
      [sql`update item set text_size = 101 where id = 1`, 1, 'text.size', 'maximum'],
      [sql`update item set points = '{"x":1}' where id = 1`, 1, 'points', 'type'],
      [sql`update item set points = '[{"x":1},{}]' where id = 1`, 1, 'points.1.x', 'required'],
      [sql`update item set points = '[{"x":' where id = 1`, 1, 'points', 'type'],
      [sql`update item set points = '' where id = 1`, 1, 'points', 'type'],
      [sql`update item set "on" = 2 where id = 1`, 1, 'on', 'type'],
      [sql`update item set rank = 9007199254740993 where id = 1`, 1, 'rank', 'type'],
      [sql`update item set rank = ${2n ** 53n} where id = 1`, 1, 'rank', 'type'],
      [sql`update item set ratio = 9e999 where id = 1`, 1, 'ratio', 'type'],
      [
        sql`insert into layer (id, name) values ('ok', 'ok'), ('bad', 'much too long a name')`,
        'bad',
        'name',
        'maxLength',
      ],
      [sql`insert into item (id, rank) select id + 20, rank - 3 from item`, 22, 'rank', 'minimum'],
    ]
    for (const [statement, key, path, keyword] of refused) {
      let error: unknown
      try {
        store.exec(statement)
      } catch (thrown) {
        error = thrown
      }
      expect(error, statement.sql).toBeInstanceOf(ValidationError)
      expect((error as ValidationError).issues, statement.sql).toContainEqual(
        expect.objectContaining({ table: statement.sql.includes('layer') ? 'layer' : 'item', key, path, keyword }),
      )
      expect(stateOf(store), statement.sql).toEqual(before)
    }
    expect(heard()).toEqual([])
  })

  test('is refused by STRICT tables for values of the wrong type, as an error of ours', async () => {
    const { store, heard } = await open(driver())
    const before = stateOf(store)
    for (const statement of [
      sql`update item set rank = 'many' where id = 1`,
      sql`update item set rank = 1.5 where id = 1`,
      sql`update item set ratio = 'x' where id = 1`,
      sql`update item set image = 'text' where id = 1`,
      sql`update item set slug = x'00ff' where id = 1`,
      sql`insert into layer (name) values ('no key')`,
      sql`insert into layer (id) values (null)`,
      sql`insert into pair (a) values ('x')`,
    ]) {
      expect(() => store.exec(statement), statement.sql).toThrow(RowcastError)
      expect(() => store.exec(statement), statement.sql).not.toThrow(SqlError)
      expect(stateOf(store), statement.sql).toEqual(before)
    }
    for (const key of ['x', null, 1.5])
      expect(() => store.exec(sql`update item set id = ${key} where id = 1`)).toThrow(RowcastError)
    expect(stateOf(store)).toEqual(before)
    expect(heard()).toEqual([])
  })

  test('keeps integers beyond 2^53 exactly in an int64 column', async () => {
    const { store, items } = await open(driver())
    store.exec(sql`update item set big = 9223372036854775807 where id = 1`)
    store.exec(sql`update item set big = ${-(2n ** 63n)} where id = 2`)
    store.exec(sql`update item set big = ${5} where id = 3`)
    expect(items.all().map((row) => row.big)).toEqual([2n ** 63n - 1n, -(2n ** 63n), 5n])
    expect(store.query(sql`select big from item order by id`)).toEqual([
      { big: 2n ** 63n - 1n },
      { big: -(2n ** 63n) },
      { big: 5 },
    ])
    expect(store.query(sql`select id from item where big = ${2n ** 63n - 1n}`)).toEqual([{ id: 1 }])
    expect(() => store.exec(sql`update item set big = ${2n ** 64n} where id = 1`)).toThrow(RowcastError)
  })

  test('names unique and foreign keys that it would break', async () => {
    const { store, heard } = await open(driver())
    const before = stateOf(store)
    const failure = (statement: ReturnType<typeof sql>): ConstraintError => {
      try {
        store.exec(statement)
      } catch (error) {
        expect(error).toBeInstanceOf(ConstraintError)
        expect(stateOf(store)).toEqual(before)
        return error as ConstraintError
      }
      throw new Error('accepted')
    }
    expect(failure(sql`update item set slug = 'one' where id = 2`)).toMatchObject({
      constraint: 'unique',
      table: 'item',
      columns: ['slug'],
    })
    expect(failure(sql`insert into item (id) values (1)`)).toMatchObject({
      constraint: 'primaryKey',
      table: 'item',
      columns: ['id'],
    })
    expect(failure(sql`update item set layerId = 'none' where id = 3`)).toMatchObject({
      constraint: 'foreignKey',
      table: 'item',
      columns: ['layerId'],
    })
    expect(heard()).toEqual([])
  })

  test('takes the references along when a key changes', async () => {
    const { store, items, heard } = await open(driver())
    store.exec(sql`update layer set id = 'l7' where id = 'l1'`)
    expect(items.get(1)?.layerId).toBe('l7')
    expect(heard().map(({ table, key, op, after }) => [table, key, op, after])).toEqual([
      ['item', 1, 'update', { layerId: 'l7' }],
      ['layer', 'l1', 'delete', {}],
      ['layer', 'l7', 'insert', { id: 'l7' }],
    ])
  })

  test('refuses whatever is not one write, and says what to do instead', async () => {
    const { store, heard } = await open(driver())
    const before = stateOf(store)
    const refused: [text: string, message: RegExp][] = [
      ['create table x (a)', /schema/],
      ['create temp trigger t after insert on item begin select 1; end', /./],
      ['drop table item', /schema/],
      ['drop view item', /schema/],
      ['alter table item add column z', /schema/],
      ['pragma user_version = 3', /./],
      ['PRAGMA foreign_keys=off', /./],
      ["attach ':memory:' as x", /attach/],
      ['detach main', /attach/],
      ['begin', /transaction/],
      ['BEGIN IMMEDIATE', /transaction/],
      ['commit', /transaction/],
      ['end', /transaction/],
      ['rollback', /transaction/],
      ['savepoint a', /transaction/],
      ['release a', /transaction/],
      ['vacuum', /./],
      ["vacuum into 'x'", /./],
      ['reindex', /./],
      ['analyze', /./],
      ['explain delete from item', /./],
      ['select 1', /query/],
      ['values (1)', /query/],
      ['with x as (select 1) select * from x', /query/],
      ['delete from item; delete from layer', /one/],
      ['delete from item;;delete from layer', /one/],
      ['', /./],
      ['  ', /./],
      ['-- nothing', /./],
      [';', /./],
      ['update or rollback item set rank = 1', /ROLLBACK/],
      ['insert /* x */ or -- y\n rollback into item (id) values (1)', /ROLLBACK/],
      ['delete from nothing', /nothing/],
      ['update item set nothing = 1', /nothing/],
      ['delete frm item', /./],
      ['/* insert */ pragma user_version', /./],
      ['delete from sqlite_schema', /./],
      ['delete from rowcast_meta', /./],
      ['select rowcast_insert(0, 1)', /./],
    ]
    for (const [text, message] of refused) {
      expect(() => store.exec({ sql: text }), text).toThrow(SqlError)
      expect(() => store.exec({ sql: text }), text).toThrow(message)
    }
    expect(() =>
      store.exec({ sql: "insert into layer (id) values ('l1') on conflict (id) do update set name = 'x'" }),
    ).toThrow(SqlError)
    expect(() =>
      store.exec({ sql: "insert into layer (id) values ('l1') on conflict (id) do update set name = 'x'" }),
    ).toThrow(/upsert/)
    expect(() => store.exec({ sql: "insert into layer (id) values ('l1') on conflict do nothing" })).toThrow(/upsert/)
    expect(stateOf(store)).toEqual(before)
    expect(heard()).toEqual([])
    // Words within texts, names and comments are no statements.
    expect(store.exec({ sql: "update layer set name = '; drop' where id = 'l1' -- ; commit" }).changes).toBe(1)
    expect(store.exec({ sql: "update layer set name = 'rowcast_' where id = 'l1'; " }).changes).toBe(1)
  })

  test('queries read and never write', async () => {
    const { store, heard } = await open(driver())
    const before = stateOf(store)
    for (const text of [
      'delete from item',
      "insert into layer (id) values ('x') returning id",
      'with x as (select 1) delete from item',
      'update item set rank = 1 returning *',
      'create table x (a)',
      'pragma user_version = 2',
      'begin',
      'select 1; select 2',
      'select 1; delete from item',
      'replace into layer (id) values (1)',
      '',
      'select rowcast_insert(0, 1)',
      'select "rowcast_insert"(0, 1)',
    ])
      expect(() => store.query({ sql: text }), text).toThrow(SqlError)
    expect(stateOf(store)).toEqual(before)
    expect(heard()).toEqual([])
    expect(store.query({ sql: 'select id, name from layer order by id;' })).toEqual([
      { id: 'l1', name: 'layer' },
      { id: 'l2', name: 'roads' },
    ])
    expect(store.query({ sql: 'with x as (select 1 as n) select n from x -- end' })).toEqual([{ n: 1 }])
    expect(store.query({ sql: 'values (1)' })).toHaveLength(1)
    expect(store.query({ sql: 'select id from layer where id = ?', parameters: ['none'] })).toEqual([])
    expect(() => store.query({ sql: 'select nothing from layer' })).toThrow(SqlError)
    expect(() => store.query({ sql: 'select id, id from layer' })).toThrow(SqlError)
    expect(() => store.query({ sql: 'select id as a, name as a from layer where 0' })).not.toThrow()
  })

  test('refuses parameters of types that SQLite does not have', async () => {
    const { store } = await open(driver())
    for (const value of [undefined, {}, [], new Date(0), Symbol('x'), () => 1, Number.NaN, new Map()])
      expect(() => store.query({ sql: 'select ? as v', parameters: [value] }), String(value)).toThrow(SqlError)
    expect(
      store.query({
        sql: 'select ? as a, ? as b, ? as c, ? as d, ? as e',
        parameters: [null, true, 1.5, 'x\u{1f600}', new Uint8Array([1, 2])],
      }),
    ).toEqual([{ a: null, b: 1, c: 1.5, d: 'x\u{1f600}', e: new Uint8Array([1, 2]) }])
    expect(() => store.query({ sql: 'select ? as v', parameters: [1, 2] })).toThrow(SqlError)
    expect(() => store.query(null as never)).toThrow(SqlError)
    expect(() => store.query('select 1' as never)).toThrow(SqlError)
  })

  test('counts in `changes` the rows that differ afterwards', async () => {
    const { store } = await open(driver())
    expect(store.exec(sql`update item set rank = rank`).changes).toBe(0)
    expect(store.exec(sql`delete from item where id = 99`).changes).toBe(0)
    expect(store.exec(sql`update item set rank = 4 where id in (1, 2)`).changes).toBe(2)
    expect(store.exec(sql`replace into layer (id) values ('l1')`).changes).toBeGreaterThanOrEqual(0)
    expect(store.exec(sql`delete from item`).changes).toBeGreaterThanOrEqual(2)
    expect(store.table('item').count()).toBe(0)
  })

  test('within a transaction is undone with it, and alone where it fails', async () => {
    const { store, items, heard } = await open(driver())
    const before = stateOf(store)
    expect(() =>
      store.transaction(() => {
        store.exec(sql`update item set rank = 1`)
        store.exec(sql`delete from layer`)
        throw new Error('x')
      }),
    ).toThrow('x')
    expect(stateOf(store)).toEqual(before)
    store.transaction(() => {
      items.set(1, 'rank', 3)
      expect(() => store.exec(sql`update item set rank = rank - 3`)).toThrow(ValidationError)
      expect(() => store.exec(sql`update or fail item set slug = 'same'`)).toThrow(ConstraintError)
    })
    expect(heard()).toEqual([{ table: 'item', key: 1, op: 'update', before: { rank: 7 }, after: { rank: 3 } }])
    expect(items.all().map((row) => row.slug)).toEqual(['one', 'two', 'three'])
  })

  test('is undone by the history and kept by export', async () => {
    const { store, items } = await open(driver())
    const before = stateOf(store)
    store.exec(sql`delete from layer where id = 'l1'`)
    const after = stateOf(store)
    const copy = await createStore({ schema, driver: driver(), data: store.export() })
    expect(copy.table('item').all()).toEqual(after.item)
    store.history.undo()
    expect(stateOf(store)).toEqual(before)
    store.history.redo()
    expect(items.all()).toEqual(after.item)
  })

  test('can not write a read-only store', async () => {
    const store = await createStore({ schema, driver: driver(), readOnly: true })
    expect(() => store.exec(sql`delete from item`)).toThrow(ReadOnlyError)
    expect(() => store.query({ sql: 'delete from item' })).toThrow(SqlError)
  })

  test('is put together by the sql tag from values, fragments, names and lists', async () => {
    const { store } = await open(driver())
    const filter = sql`rank > ${1} and slug <> ${'x'}`
    const query = sql`select ${sql.join([sql.identifier('id'), sql.identifier('item', 'slug')])} from ${sql.identifier('item')} where ${filter} and id in (${sql.join([1, 2, 3])}) order by id`
    expect(query.parameters).toEqual([1, 'x', 1, 2, 3])
    expect(store.query(query)).toEqual([
      { id: 1, slug: 'one' },
      { id: 2, slug: 'two' },
      { id: 3, slug: 'three' },
    ])
    expect(sql.identifier('a"b', 'c').sql).toBe('"a""b"."c"')
    expect(sql.join([sql`a = ${1}`, sql`b = ${2}`], ' or ')).toMatchObject({
      sql: 'a = ? or b = ?',
      parameters: [1, 2],
    })
    expect(() => sql.join([])).toThrow(SqlError)
    // What looks like a fragment and was not made by the tag is a value, never text.
    expect(() => store.query(sql`select ${{ sql: '1; drop table item', parameters: [] }} as v`)).toThrow(SqlError)
    expect(store.query(sql`select ${"'; drop table item; --"} as v`)).toEqual([{ v: "'; drop table item; --" }])
  })
})

import { createStore, defineSchema, sql, ValidationError, type SqliteDriverFactory } from 'rowcast'
import { expect, onTestFinished, test } from 'vitest'
import { internals, PendingLayers } from '../../src/store/index.ts'
import { describeEachDriver } from '../support/each-driver.ts'
import { openServer } from '../support/sync-world.ts'
import { RawClient } from '../server/session/raw-client.ts'

const zoom = { type: 'number', default: 1 } as const
const name = { type: 'string' } as const
const schema = defineSchema({
  version: 1,
  tables: {
    s: { singleton: true, schema: { type: 'object', properties: { zoom, name } } },
    t: { singleton: true, schema: { type: 'object', required: ['name'], properties: { name } } },
  },
})

const open = (driver?: () => SqliteDriverFactory) => createStore({ schema, ...(driver && { driver: driver() }) })
type Store = Awaited<ReturnType<typeof open>>
type Rows = { delete(what: unknown): void }

const rowsOf = (of: { table(name: never): unknown }): Rows => of.table('s' as never) as Rows

// One that is always there goes by no way: nothing of it could be set again, and no store takes such a file.
describeEachDriver('the row of a singleton that may be empty', (driver) => {
  test.each<[way: string, remove: (store: Store) => void]>([
    ['SQL', (store) => store.exec({ sql: 'delete from s' })],
    ['SQL with a condition', (store) => store.exec(sql`delete from s where zoom in (select zoom from s)`)],
    ['SQL with a CTE', (store) => store.exec(sql`with x as (select 2 as zoom) delete from s where zoom in x`)],
    ['SQL with RETURNING', (store) => store.exec(sql`delete from s returning zoom`)],
    ['its key', (store) => rowsOf(store).delete(1)],
    ['keys', (store) => rowsOf(store).delete([1])],
    ['a condition', (store) => rowsOf(store).delete({ where: {} })],
    ['a transaction', (store) => store.transaction(() => store.exec({ sql: 'delete from s' }))],
    ['SQL of a draft', (store) => store.draft().exec({ sql: 'delete from s' })],
    ['the rows of a draft', (store) => rowsOf(store.draft()).delete(1)],
  ])('is not deleted by %s', async (_way, remove) => {
    const store = await open(driver)
    store.value('s').set('zoom', 2)
    expect(() => remove(store)).toThrow(ValidationError)
    expect(() => remove(store)).toThrow(/only row of 's'.*reset\(\)/)
    expect(store.value('s').get()).toEqual({ zoom: 2 })
    store.import(store.export())
  })

  test('may be replaced within a transaction; one that needs properties may go', async () => {
    const store = await open(driver)
    store.transaction(() => {
      store.exec({ sql: 'delete from s' })
      store.exec(sql`insert into s (zoom) values (3)`)
    })
    expect(store.value('s').get()).toEqual({ zoom: 3 })
    store.value('t').set('name', 'a')
    store.exec({ sql: 'delete from t' })
    expect(store.value('t').get()).toBeUndefined()
    store.import(store.export())
  })

  test('is back at its defaults where a server takes it from a client, with what a draft and a transaction have of it', async () => {
    const store = await open(driver)
    const base = new PendingLayers(internals(store as never).engine)
    base.arrive([{ table: 's', key: 1, op: 'put', after: { zoom: 5, name: 'a' } }])
    const draft = store.draft()
    draft.value('s').set('name', 'mine')
    base.arrive([{ table: 's', key: 1, op: 'delete' }])
    expect(store.value('s').get()).toEqual({ zoom: 1, name: 'mine' })
    draft.cancel()
    expect(store.value('s').get()).toEqual({ zoom: 1 })
    base.arrive([{ table: 's', key: 1, op: 'put', after: { zoom: 6 } }])
    expect(store.value('s').get()).toEqual({ zoom: 6 })
  })

  test('is there after a migration that no longer asks for its properties, or that deletes it', async () => {
    const before = await open(driver)
    const tables = {
      s: schema.definition.tables.s,
      t: { singleton: true, schema: { type: 'object', properties: { name } } },
    } as const
    const data = before.export()
    const looser = defineSchema({ version: 2, tables })
    const deleting = defineSchema({
      version: 2,
      tables,
      migrations: { 2: (db) => void db.exec({ sql: 'delete from s' }) },
    })
    for (const after of [looser, deleting]) {
      const store = await createStore({ schema: after, data, driver: driver() })
      expect(store.value('s').get()).toEqual({ zoom: 1 })
      expect(store.value('t').get()).toEqual({})
      store.import(store.export())
    }
  })
})

test('a server refuses to delete it', async () => {
  const core = await openServer({ schema })
  onTestFinished(() => core.close())
  const client = await RawClient.enter(core)
  const verdict = await client.commit([{ table: 's', key: 1, op: 'delete' }])
  expect(verdict).toMatchObject({ type: 'refused', code: 'validation' })
})

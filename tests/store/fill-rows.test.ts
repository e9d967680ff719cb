import { createStore, defineSchema, sqlJsDriver, type ChangeSet, type SqliteDriver, type Store } from 'rowcast'
import { expect, test } from 'vitest'
import { HIDDEN } from '../../src/changes/index.ts'
import { internals, PendingLayer, PendingLayers, type Arrival } from '../../src/store/index.ts'
import { dumpDatabase } from '../support/dump-database.ts'

const text = { type: 'string' } as const
const schema = defineSchema({
  version: 1,
  tables: {
    folder: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: text } },
    },
    item: {
      primaryKey: ['board', 'id'],
      unique: [['slug']],
      references: { folderId: { table: 'folder' } },
      restricted: ['secret'],
      schema: {
        type: 'object',
        required: ['board', 'id'],
        properties: {
          board: text,
          id: { type: 'integer' },
          slug: text,
          folderId: text,
          size: { type: 'number', default: 10 },
          isOpen: { type: 'boolean' },
          big: { type: 'integer', format: 'int64' },
          bytes: { type: 'string', contentEncoding: 'base64' },
          note: { type: ['string', 'null'] },
          points: { type: 'array', items: { type: 'number' } },
          secret: text,
          at: { type: 'object', properties: { x: { type: 'number' }, y: { type: 'number' } } },
        },
        additionalProperties: true,
      },
    },
  },
})

/** Rows of every kind of cell, of a folder that is not there too: a copy may be a part. */
function arrivalsOf(count: number): Arrival[] {
  const items = Array.from({ length: count }, (_, id): Arrival => {
    const after = {
      board: 'b',
      id,
      ...(id % 2 === 0 && { slug: `s${id}`, folderId: id % 4 === 0 ? 'f' : 'elsewhere' }),
      ...(id % 3 === 0 && { size: id / 8, isOpen: id % 6 === 0, big: 9_007_199_254_740_993n + BigInt(id) }),
      ...(id % 5 === 0 && { at: {}, 'at.x': id, bytes: new Uint8Array([id, 0]), note: null }),
      ...(id % 7 === 0 && { points: [id, 0.5], more: { of: [id] }, other: null }),
      ...(id % 11 === 0 && { secret: id % 2 === 0 ? HIDDEN : 'told' }),
    }
    return { table: 'item', key: ['b', id], op: 'put', after }
  })
  return [{ table: 'folder', key: 'f', op: 'put', after: { id: 'f' } }, ...items]
}

async function open() {
  const store = await createStore({ schema })
  const { engine } = internals(store as unknown as Store)
  const told: ChangeSet[] = []
  store.changes$.subscribe((set) => told.push(set))
  return { store, engine, told, layers: new PendingLayers(engine) }
}

test('rows that fill a copy are what they are when they arrive one by one, to SQL and to those who are told', async () => {
  const filled = await open()
  const arrived = await open()
  expect(filled.layers.fillIn(arrivalsOf(200))).toBe(true)
  for (const arrival of arrivalsOf(200)) arrived.layers.arrive([arrival])
  expect(dumpDatabase(filled.engine.driver)).toEqual(dumpDatabase(arrived.engine.driver))
  expect(filled.told.flatMap(({ changes }) => changes)).toEqual(arrived.told.flatMap(({ changes }) => changes))
  expect(filled.told.map(({ origin }) => origin)).toEqual(['remote'])
  expect(filled.store.table('item').find()).toEqual(arrived.store.table('item').find())
  // References are judged again for what is written here.
  expect(() => filled.store.table('item').insert({ board: 'b', id: -1, folderId: 'nowhere' })).toThrow(/folder/)
})

test('nothing of rows is filled in where one can not be as it is: they arrive instead', async () => {
  const put = (id: number, slug?: string): Arrival => ({
    table: 'item',
    key: ['b', id],
    op: 'put',
    after: { board: 'b', id, ...(slug !== undefined && { slug }) },
  })
  for (const [why, arrivals] of Object.entries({
    'a row is there': [put(2), put(1)],
    'a row comes twice': [put(2), put(2, 'again')],
    'a unique value is there': [put(2, 'taken')],
    'a row goes': [put(2), { table: 'item', key: ['b', 1], op: 'delete' } satisfies Arrival],
    'an object is not there': [{ ...put(2), after: { board: 'b', id: 2, 'at.x': 1 } }],
  })) {
    const { engine, told, layers } = await open()
    expect(layers.fillIn([put(1, 'taken')]), why).toBe(true)
    const before = dumpDatabase(engine.driver)
    expect(layers.fillIn(arrivals), why).toBe(false)
    expect(dumpDatabase(engine.driver), why).toEqual(before)
    expect(told, why).toHaveLength(1)
  }
})

test('nothing is filled in below what is pending or in a draft', async () => {
  const drafting = await open()
  drafting.layers.fillIn(arrivalsOf(1))
  drafting.store.draft().table('item').update(['b', 0], { size: 1 })
  expect(drafting.layers.fillIn([{ table: 'folder', key: 'g', op: 'put', after: { id: 'g' } }])).toBe(false)
  const waiting = await open()
  waiting.store.table('folder').insert({ id: 'mine' })
  waiting.layers.add(new PendingLayer('t', undefined), waiting.told[0]!.changes)
  expect(waiting.layers.fillIn(arrivalsOf(1))).toBe(false)
})

test('rows that fill a copy go in many at a time', async () => {
  let runs = 0
  const real = sqlJsDriver()
  const counted = (driver: SqliteDriver): SqliteDriver =>
    new Proxy(driver, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (name === 'prepare')
          return (sql: string) => {
            const statement = target.prepare(sql)
            return new Proxy(statement, {
              get(inner, part) {
                const value: unknown = Reflect.get(inner, part, inner)
                if (part === 'run' || part === 'get' || part === 'all') runs++
                return typeof value === 'function' ? (value.bind(inner) as unknown) : value
              },
            })
          }
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
  const store = await createStore({
    schema,
    driver: { open: async (bytes) => counted(await real.open(bytes)) },
  })
  const layers = new PendingLayers(internals(store as unknown as Store).engine)
  const folders = Array.from({ length: 1_000 }, (_, n): Arrival => {
    const id = `f${n}`
    return { table: 'folder', key: id, op: 'put', after: { id } }
  })
  const before = runs
  layers.fillIn(folders)
  expect(runs - before).toBeLessThan(50)
})

import { createStore, defineSchema, type Schema, type SchemaInput, type Store } from 'rowcast'
import { firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { keptScene } from '../support/kept-scene.ts'
import { settled } from '../support/sync-world.ts'

type Tables = SchemaInput['tables']
type Properties = { readonly [name: string]: object }

const text = { type: 'string' }
const whole = { type: 'integer' }
const number = { type: 'number' }
const free = { type: 'object' }
const nested = { type: 'object', properties: { x: number, y: { type: 'number', default: 5 } } }
const tied = { ...nested, required: ['x'] }
const list = { type: 'array', items: number }

/** A table of these properties, all of them in its key required. */
function table(primaryKey: string | string[], properties: Properties, more: object = {}): Tables {
  const schema = { type: 'object', required: [primaryKey].flat(), properties }
  return { row: { primaryKey, schema, ...more } as unknown as Tables[string] }
}

interface Case {
  readonly what: string
  readonly before: Tables
  readonly after: Tables
  /** Done and confirmed under the first version. */
  readonly base: (store: Store) => void
  /** Done offline, a transaction each. */
  readonly offline: readonly ((store: Store) => void)[]
  /** Whether all that was done offline is given back to its user. */
  readonly givenBack?: boolean
}

const rows = (store: Store) => store.table('row')
const insert = (row: object) => (store: Store) => void rows(store).insert(row as never)
const set = (key: unknown, path: string, value: unknown) => (store: Store) =>
  rows(store).set(key as never, path as never, value as never)
const remove = (key: unknown) => (store: Store) => void rows(store).delete(key as never)
const all =
  (...steps: ((store: Store) => void)[]) =>
  (store: Store) => {
    for (const step of steps) step(store)
  }

const cases: readonly Case[] = [
  {
    what: 'a column of the key has another name',
    before: table(['a', 'b'], { a: text, b: text, v: text }),
    after: table(['first', 'b'], { first: text, b: text, v: text }, { renames: { first: 'a' } }),
    base: insert({ a: 'x', b: 'y', v: '1' }),
    offline: [set(['x', 'y'], 'v', '2'), insert({ a: 'p', b: 'q', v: '3' })],
  },
  {
    what: 'the key has another order',
    before: table(['a', 'b'], { a: text, b: text, v: text }),
    after: table(['b', 'a'], { a: text, b: text, v: text }),
    base: all(insert({ a: 'x', b: 'y', v: '1' }), insert({ a: 'y', b: 'x', v: '2' })),
    offline: [set(['x', 'y'], 'v', '3'), insert({ a: 'p', b: 'q', v: '4' })],
    givenBack: true,
  },
  {
    what: 'the key is another property',
    before: table('id', { id: text, code: text }, {}),
    after: table('code', { id: text, code: text }),
    base: all(insert({ id: 'a', code: 'b' }), insert({ id: 'b', code: 'a' })),
    offline: [remove('a')],
    givenBack: true,
  },
  {
    what: 'a reference, a list and a null have other names',
    before: table(
      'id',
      { id: text, up: text, points: list, n: { type: ['string', 'null'] } },
      { references: { up: { table: 'row' } } },
    ),
    after: table(
      'id',
      { id: text, parent: text, line: list, note: { type: ['string', 'null'] } },
      { references: { parent: { table: 'row' } }, renames: { parent: 'up', line: 'points', note: 'n' } },
    ),
    base: all(insert({ id: 'a', points: [1] }), insert({ id: 'b', up: 'a', n: 'n' })),
    offline: [set('b', 'n', null), set('a', 'points', [2, 3]), insert({ id: 'c', up: 'b', points: [], n: null })],
  },
  {
    what: 'an optional object has another name',
    before: table('id', { id: text, pos: tied }),
    after: table('id', { id: text, place: tied }, { renames: { place: 'pos' } }),
    base: all(insert({ id: 'a', pos: { x: 1 } }), insert({ id: 'b' }), insert({ id: 'c', pos: { x: 2 } })),
    offline: [
      set('a', 'pos.x', 3),
      set('b', 'pos', { x: 4 }),
      set('c', 'pos', undefined),
      insert({ id: 'd', pos: { x: 7, z: 1 } }),
    ],
  },
  {
    what: 'a property moved out of an object',
    before: table('id', { id: text, pos: nested }),
    after: table(
      'id',
      { id: text, x: number, pos: { type: 'object', properties: { y: nested.properties.y } } },
      { renames: { x: 'pos.x' } },
    ),
    base: insert({ id: 'a', pos: { x: 1 } }),
    offline: [set('a', 'pos.x', 2), insert({ id: 'b', pos: { x: 7 } })],
  },
  {
    what: 'a property moved into an object that may not be there',
    before: table('id', { id: text, x: number }),
    after: table('id', { id: text, pos: tied }, { renames: { 'pos.x': 'x' } }),
    base: all(insert({ id: 'a', x: 1 }), insert({ id: 'b' })),
    offline: [set('a', 'x', 2), set('b', 'x', 4), insert({ id: 'c', x: 7 })],
    givenBack: true,
  },
  {
    what: 'a free object has columns now',
    before: table('id', { id: text, pos: free }),
    after: table('id', { id: text, pos: nested }),
    base: insert({ id: 'a', pos: { x: 1, z: 3 } }),
    offline: [set('a', 'pos', { x: 2, z: 9 }), insert({ id: 'b', pos: { x: 7 } })],
    givenBack: true,
  },
  {
    what: 'an object of columns is free now',
    before: table('id', { id: text, pos: nested }),
    after: table('id', { id: text, pos: free }),
    base: insert({ id: 'a', pos: { x: 1 } }),
    offline: [set('a', 'pos.x', 2), insert({ id: 'b', pos: { x: 7 } })],
    givenBack: true,
  },
  {
    what: 'what was not declared is',
    before: table('id', { id: text }),
    after: table('id', { id: text, extra: text }),
    base: insert({ id: 'a', extra: '1' }),
    offline: [set('a', 'extra', '2'), insert({ id: 'b', extra: 'e' })],
    givenBack: true,
  },
  {
    what: 'what is not declared stands where a renamed property comes to be',
    before: table('id', { id: text, a: text }),
    after: table('id', { id: text, b: text }, { renames: { b: 'a' } }),
    base: insert({ id: 'a', a: '1' }),
    offline: [insert({ id: 'b', a: '2', b: 'not declared' })],
    givenBack: true,
  },
  {
    what: 'what follows rests on what can not be said',
    before: table('id', { id: text, pos: free, v: text }),
    after: table('id', { id: text, pos: nested, v: text }),
    base: insert({ id: 'a', pos: { x: 1 } }),
    offline: [insert({ id: 'b', pos: { x: 7 } }), set('b', 'v', 'later'), set('a', 'pos', { x: 2 }), remove('a')],
    givenBack: true,
  },
  {
    what: 'a default is no more',
    before: table('id', { id: text, size: { type: 'number', default: 10 } }),
    after: table('id', { id: text, size: number }),
    base: insert({ id: 'a' }),
    offline: [insert({ id: 'b' })],
    givenBack: true,
  },
  {
    what: 'a default in an object is no more, which is put whole',
    before: table('id', { id: text, pos: { ...tied, properties: { x: number, y: { type: 'number', default: 9 } } } }),
    after: table('id', { id: text, pos: { ...tied, properties: { x: number, y: number } } }),
    base: insert({ id: 'a' }),
    offline: [set('a', 'pos', { x: 1 })],
    givenBack: true,
  },
  {
    what: 'a default is no more, and was not used',
    before: table('id', { id: text, size: { type: 'number', default: 10 } }),
    after: table('id', { id: text, size: number }),
    base: insert({ id: 'a' }),
    offline: [insert({ id: 'b', size: 7 }), set('a', 'size', 8)],
  },
  {
    what: 'whole numbers may be others',
    before: table('id', { id: text, n: whole }),
    after: table('id', { id: text, n: number }),
    base: insert({ id: 'a', n: 1 }),
    offline: [set('a', 'n', 2), insert({ id: 'b', n: 7 })],
  },
  {
    what: 'a restricted property has another name',
    before: table('id', { id: text, secret: text }, { restricted: ['secret'] }),
    after: table('id', { id: text, hidden: text }, { restricted: ['hidden'], renames: { hidden: 'secret' } }),
    base: insert({ id: 'a', secret: 's' }),
    offline: [set('a', 'secret', 't'), insert({ id: 'b', secret: 'u' })],
  },
]

test.for(cases)('what was done offline is as after a migration, or given back: $what', async (given) => {
  const { serve, open } = keptScene()
  const [first, second] = [given.before, given.after].map((tables, n): Schema =>
    defineSchema<SchemaInput>({ version: n + 1, tables }),
  ) as [Schema, Schema]
  const core = serve(first)
  await core.databases.create('scene')
  const old = await open(first, core)
  await settled(old)
  given.base(old)
  await settled(old)
  await core.close()
  const migrated = async (): Promise<readonly object[]> => {
    const store = await createStore({ schema: second, data: old.export() })
    const found = rows(store).all()
    await store.close()
    return found
  }
  const confirmed = await migrated()
  for (const step of given.offline) step(old)
  const expected = given.givenBack ? confirmed : await migrated()
  await old.saved()
  await old.close()

  const offline = await open(second)
  expect(rows(offline).all()).toEqual(expected)
  await offline.saved()
  await offline.close()
  const next = serve(second)
  const store = await open(second, next)
  await settled(store)
  expect(rows(store).all()).toEqual(expected)
  const { database } = await next.databases.use('scene')
  expect(rows(database.store).all()).toEqual(expected)
  const codes = (await firstValueFrom(store.sync.rejected$)).map(({ code }) => code)
  expect(codes).toHaveLength(given.givenBack ? given.offline.length : 0)
  // Some rest on others.
  for (const code of codes) expect(['schema-version', 'conflict']).toContain(code)
  await store.close()
  await next.close()
})

import { createStore, defineSchema, RowcastError, type ChangeSet } from 'rowcast'
import { openRemote } from 'rowcast/remote'
import { createMirror } from 'rowcast/webgl'
import { describe, expect, test } from 'vitest'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, rank: { type: 'integer', default: 0 }, note: { type: 'string' } },
      },
    },
    scene: { singleton: true, schema: { type: 'object', properties: { zoom: { type: 'number', default: 1 } } } },
  },
})

/** A function as JavaScript sees it: any arguments, or none. */
type Loose = (...values: readonly unknown[]) => unknown

function loose(object: object, name: string): Loose {
  const method: unknown = Reflect.get(object, name)
  if (typeof method !== 'function') throw new Error(`no method '${name}'`)
  return (...values) => Reflect.apply(method, object, [...values]) as unknown
}

async function refusal(call: () => unknown): Promise<RowcastError> {
  try {
    await call()
  } catch (error) {
    expect(error).toBeInstanceOf(RowcastError)
    return error as RowcastError
  }
  throw new Error('was taken')
}

describe('createStore refuses', () => {
  const create = createStore as Loose
  test.each<[what: string, values: readonly unknown[], code: string, names: string]>([
    ['no argument', [], 'options', 'createStore expects'],
    ['null', [null], 'options', 'createStore expects'],
    ['text', ['x'], 'options', "'x'"],
    ['no schema', [{}], 'schema', 'defineSchema'],
    ['a number for a schema', [{ schema: 5 }], 'schema', 'not 5'],
    ['a schema document', [{ schema: schema.definition }], 'schema', 'defineSchema'],
    ['what looks like a schema', [{ schema: { version: 1, tables: new Map([['t', {}]]) } }], 'schema', 'defineSchema'],
    ['data as a number', [{ schema, data: 5 }], 'data', 'data:'],
    ['data as a list', [{ schema, data: [] }], 'data', 'an array'],
    ['data as numbers that are no bytes', [{ schema, data: new Float64Array(4) }], 'data', 'data:'],
    ['data of an unknown table', [{ schema, data: { nope: [] } }], 'not-found', "'nope'"],
    ['rows as an object', [{ schema, data: { item: {} } }], 'data', 'data.item'],
    ['a row that is null', [{ schema, data: { item: [{ id: 'a' }, null] } }], 'data', 'data.item[1]'],
    ['a singleton as a list', [{ schema, data: { scene: [] } }], 'data', 'data.scene'],
    ['a driver that is none', [{ schema, driver: {} }], 'options', 'driver'],
    ['locateFile as text', [{ schema, locateFile: '/sql.wasm' }], 'options', 'locateFile'],
    ['a negative history', [{ schema, history: { limit: -1 } }], 'options', 'history'],
    ['a history as a number', [{ schema, history: 5 }], 'options', 'history'],
    ['readOnly as text', [{ schema, readOnly: 'yes' }], 'options', 'readOnly'],
  ])('%s', async (_what, values, code, names) => {
    const error = await refusal(() => create(...values))
    expect(error.code).toBe(code)
    expect(error.message).toContain(names)
  })
})

describe('openRemote refuses', () => {
  const remote = openRemote as Loose
  const url = 'http://localhost/x.db'
  test.each<[what: string, values: readonly unknown[], code: string, names: string]>([
    ['a number', [5], 'remote', 'number'],
    ['nothing', [], 'remote', 'undefined'],
    ['an empty URL', [''], 'remote', 'URL'],
    ['null for options', [url, null], 'remote', 'options'],
    ['an unknown mode', [url, { mode: 'half' }], 'remote', "'half'"],
    ['a schema that is none', [url, { schema: {} }], 'schema', 'defineSchema'],
    ['a fetch that is none', [url, { fetch: 5 }], 'remote', 'fetch'],
    ['onProgress as text', [url, { onProgress: 'x' }], 'remote', 'onProgress'],
    ['a signal that is none', [url, { signal: {} }], 'remote', 'signal'],
  ])('%s', async (_what, values, code, names) => {
    const error = await refusal(() => remote(...values))
    expect(error.code).toBe(code)
    expect(error.message).toContain(names)
  })
})

describe('createMirror refuses', () => {
  const mirror = createMirror as Loose
  const ranks = { paths: ['rank'], type: 'f32' }
  test.each<[what: string, values: readonly unknown[], code: string, names: string]>([
    ['null for options', ['item', null], 'mirror', 'attributes'],
    ['no options', ['item'], 'mirror', 'attributes'],
    ['no attributes', ['item', {}], 'mirror', 'attributes'],
    ['an unknown table', ['nope', { attributes: { ranks } }], 'not-found', "'nope'"],
    ['no table', [undefined, { attributes: { ranks } }], 'not-found', 'item, scene'],
    ['a singleton', ['scene', { attributes: { ranks } }], 'not-found', "'scene'"],
    ['an attribute that is null', ['item', { attributes: { ranks: null } }], 'mirror', "'ranks'"],
    ['an attribute without paths', ['item', { attributes: { ranks: { type: 'f32' } } }], 'mirror', "'ranks'"],
    ['paths as text', ['item', { attributes: { ranks: { paths: 'rank', type: 'f32' } } }], 'mirror', "'ranks'"],
    [
      'a path as a number',
      ['item', { attributes: { ranks: { paths: [5], type: 'f32' } } }],
      'not-found',
      'item: a property path',
    ],
    ['an unknown path', ['item', { attributes: { ranks: { paths: ['x'], type: 'f32' } } }], 'not-found', "'x'"],
    ['an attribute without a type', ['item', { attributes: { ranks: { paths: ['rank'] } } }], 'mirror', "'ranks'"],
    ['a map as text', ['item', { attributes: { ranks: { ...ranks, map: 'x' } } }], 'mirror', 'map'],
    ['a fallback as text', ['item', { attributes: { ranks: { ...ranks, fallback: 'x' } } }], 'mirror', 'fallback'],
    ['a size as text', ['item', { attributes: { ranks: { ...ranks, size: 'x' } } }], 'mirror', 'size'],
    ['a scheduler as a number', ['item', { attributes: { ranks }, scheduler: 5 }], 'mirror', 'scheduler'],
    ['an unknown where', ['item', { attributes: { ranks }, where: 5 }], 'filter', 'where'],
  ])('%s', async (_what, values, code, names) => {
    const store = await createStore({ schema, data: { item: [{ id: 'a' }] } })
    const error = await refusal(() => mirror(store, ...values))
    expect(error.code).toBe(code)
    expect(error.message).toContain(names)
    await store.close()
  })

  test('what is no store', async () => {
    for (const store of [undefined, null, 5, {}, { schema: {} }])
      expect((await refusal(() => mirror(store, 'item', { attributes: { ranks } }))).code).toBe('mirror')
  })
})

test('the members of a store refuse what they can not mean, say what, and change nothing', async () => {
  const store = await createStore({ schema, data: { item: [{ id: 'a' }] } })
  const draft = store.draft()
  const item = store.table('item')
  const scene = store.value('scene')
  const before = item.all()
  const heard: ChangeSet[] = []
  store.changes$.subscribe((set) => heard.push(set))
  const wrong: readonly [object, string, ...(readonly unknown[])[]][] = [
    [store, 'table', [], ['nope'], [5], [null], ['__proto__'], ['toString']],
    [store, 'value', [], ['nope'], ['item']],
    [store, 'query', [], [5], [null], [{}], ['select 1']],
    [store, 'exec', [], [5], [null], [{}]],
    [store, 'live', [], [5], [null]],
    [store, 'transaction', [], [5], [null]],
    [store, 'attach', [], ['x'], ['x', 5], [5, new Uint8Array()], ['', new Uint8Array()], ['x', new Uint8Array(3)]],
    [store, 'import', [], [5], ['x'], [[]], [new Uint8Array(3)]],
    [draft, 'keep', [], [null], [5], [{}], [{ table: 'item', key: 'a', path: 'rank' }]],
    [draft, 'take', [], [null], [5], [{}], [{ table: 'item', key: 'a', path: 'rank' }]],
    [item, 'insert', [], [null], [5], ['x'], [[null]], [[{ id: 'b' }, 5]], [{}]],
    [item, 'upsert', [], [null], [5], [[null]], [{}]],
    [item, 'update', [], ['a'], ['a', null], ['a', 5], ['a', []], ['none', {}]],
    [item, 'updateMany', [], [['a']], [['a'], null], [['a'], 5], [5, {}], [null, {}]],
    [item, 'set', [], ['a'], ['a', 5, 1], ['a', null, 1], ['a', [null], 1], ['none', 'rank', 1]],
    [item, 'reset', [], ['none'], ['a', 5], ['a', null]],
    [item, 'field$', ['a'], ['a', 5], ['a', null], ['a', [{}]]],
    [
      item,
      'find',
      [null],
      [5],
      ['x'],
      [[]],
      [{ where: 5 }],
      [{ limit: 'x' }],
      [{ limit: -1 }],
      [{ orderBy: 5 }],
      [{ order: 'rank' }],
    ],
    [item, 'live', [null], [5], [{ where: 5 }], [{ offset: 1.5 }]],
    [item, 'count', [5], ['x']],
    [item, 'predicate', [], [5]],
    [scene, 'set', [], [5, 1], [null, 1]],
    [scene, 'update', [], [null], [5]],
    [scene, 'reset', [5], [null]],
    [scene, 'field$', [], [5]],
  ]
  for (const [object, name, ...calls] of wrong)
    for (const values of calls) {
      const what = `${name}(${values.map((value) => JSON.stringify(value) ?? 'undefined').join(', ')})`
      let error: unknown
      try {
        loose(object, name)(...values)
      } catch (thrown) {
        error = thrown
      }
      expect(error, what).toBeInstanceOf(RowcastError)
      expect((error as RowcastError).message.length, what).toBeGreaterThan(15)
    }
  expect(item.all()).toEqual(before)
  expect(draft.changes().changes).toEqual([])
  expect(heard).toEqual([])
  await store.close()
})

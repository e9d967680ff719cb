import fc from 'fast-check'
import {
  createStore,
  defineSchema,
  NotFoundError,
  ValidationError,
  type CellValue,
  type Schema,
  type Store,
} from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { describe, expect, test } from 'vitest'

const DRIVERS = [
  ['sql.js', undefined],
  ['node:sqlite', nodeSqliteDriver()],
] as const

const number = { type: 'number' }
const POINTS = { type: 'array', items: { type: 'object', properties: { x: number } } }

type Driver = (typeof DRIVERS)[number][1]

function open(v: object, value: unknown, driver?: Driver): Promise<Store> {
  const schema = { type: 'object', required: ['id'], properties: { id: { type: 'string' }, v } }
  const single = { singleton: true, schema: { type: 'object', properties: { v } } }
  const tables = { t: { primaryKey: 'id', schema }, s: single }
  const schemaOfAll: Schema = defineSchema({ version: 1, tables } as never)
  return createStore({
    schema: schemaOfAll,
    data: { t: [{ id: 'a', v: value }] } as never,
    ...(driver && { driver }),
  }) as Promise<Store>
}

/** The path in text: what separates or escapes is escaped. */
function spell(path: readonly string[]): string {
  return path.map((segment) => segment.replace(/[.\\]/g, '\\$&')).join('.')
}

/** What each function makes of a path: `refused`, or what it is for it. */
function meanings(store: Store, path: readonly string[]): Record<string, unknown> {
  const t = store.table('t')
  const text = spell(path)
  const ask = (ask: () => unknown): unknown => {
    try {
      return ask()
    } catch (error) {
      if (error instanceof NotFoundError && error.message.includes(`no property '${text}'`)) return 'refused'
      // The path is right, and the row would not be.
      if (error instanceof ValidationError || error instanceof NotFoundError) return 'not now'
      throw error
    }
  }
  const draft = store.draft()
  const said = {
    field$: ask(() => {
      let seen: unknown
      t.field$('a', text as never)
        .subscribe((value) => (seen = value))
        .unsubscribe()
      return { value: seen }
    }),
    segments: ask(() => t.field$('a', path as never) && 'taken'),
    where: ask(() => t.find({ where: { [text]: { isNull: false } } as never }).length),
    predicate: ask(() => Number(t.predicate({ [text]: { isNull: false } } as never).test(t.get('a') as never))),
    orderBy: ask(() => t.find({ orderBy: text as never }).length),
    live: ask(() => {
      t.live({ where: { [text]: 1 } } as never)
      return 'taken'
    }),
    facetsAt: ask(() => store.schema.tables.get('t')!.facetsAt(path) && 'taken'),
    reset: ask(() => (draft.table('t').reset('a', text as never), 'taken')),
    set: ask(() => (draft.table('t').set('a', text as never, 1 as never), 'taken')),
    singleton: ask(() => (draft.value('s').set(text as never, 1 as never), 'taken')),
    'singleton.field$': ask(() => store.value('s').field$(text as never) && 'taken'),
  }
  draft.cancel()
  return said
}

describe.each(DRIVERS)('a path on %s', (_name, driver) => {
  test.each([
    ['v.1.x', 2],
    ['v.0.x', 1],
    ['v.7.x', undefined],
  ])('leads by the index of an array: %s', async (path, value) => {
    const said = meanings(await open(POINTS, [{ x: 1 }, { x: 2 }], driver), path.split('.'))
    expect(said).toMatchObject({ field$: { value }, where: value === undefined ? 0 : 1 })
    expect(Object.values(said)).not.toContain('refused')
  })

  test.each(['01', '1e0', '+1', ' 1', '-1', '1.0', '#-1', '', 'x', '4294967295', '4294967296', '99999999999999999999'])(
    'is refused everywhere for what is no index of an array: %j',
    async (index) => {
      const store = await open(POINTS, [{ x: 1 }, { x: 2 }], driver)
      const said = meanings(store, ['v', index, 'x'])
      expect(new Set(Object.values(said))).toEqual(new Set(['refused']))
      expect(() => store.table('t').get('a')).not.toThrow()
    },
  )

  test.each(['01', '1e0', '1', '-1', '4294967296', 'a.b', '"', 'length'])(
    'leads by the names of an object, whatever they look like: %j',
    async (name) => {
      for (const v of [
        { type: 'object', additionalProperties: number },
        { type: 'object', patternProperties: { '': number }, additionalProperties: false },
        { type: 'array', items: { type: 'object', properties: { [name]: number } } },
      ]) {
        const map = { [name]: 5 }
        const said = meanings(
          await open(v, v.type === 'array' ? [map] : map, driver),
          v.type === 'array' ? ['v', '0', name] : ['v', name],
        )
        expect(said).toMatchObject({ field$: { value: 5 }, where: 1, predicate: 1, set: 'taken' })
        expect(Object.values(said)).not.toContain('refused')
      }
    },
  )

  test('leads by what is there where the schema says nothing, through any number of levels', async () => {
    const deep = (levels: number, at: (n: number, inner: unknown) => unknown): unknown =>
      Array.from({ length: levels }).reduce<unknown>((inner, _, n) => at(n, inner), 5)
    const store = await open({}, undefined, driver)
    const t = store.table('t')
    for (const levels of [1, 3, 4, 7, 20, 60]) {
      t.set('a', 'v' as never, deep(levels, (n, inner) => (n % 2 ? { 1: inner } : [0, inner])) as never)
      const path = ['v', ...Array.from({ length: levels }, () => '1')]
      expect(meanings(store, path)).toMatchObject({ field$: { value: 5 }, where: 1, predicate: 1, set: 'taken' })
      expect(meanings(store, [...path.slice(0, -1), '01'])).toMatchObject({ field$: { value: undefined }, where: 0 })
    }
  })

  test('is refused everywhere for what a closed object and a plain value do not have', async () => {
    const closed = { type: 'object', properties: { x: number }, additionalProperties: false }
    const store = await open({ type: 'array', items: closed }, [{ x: 1 }], driver)
    for (const path of [
      ['v', '0', 'y'],
      ['v', '0', 'x', 'y'],
      ['v', '0', 'x', '0'],
    ])
      expect(new Set(Object.values(meanings(store, path)))).toEqual(new Set(['refused']))
  })

  test('follows references, alternatives and tuples', async () => {
    const v = {
      oneOf: [{ type: 'null' }, { type: 'array', prefixItems: [number, { $ref: '#/properties/v' }], items: false }],
    }
    const store = await open(v, [1, [2, [3]]], driver)
    expect(meanings(store, ['v', '1', '1', '0'])).toMatchObject({ field$: { value: 3 }, where: 1 })
    for (const path of [
      ['v', '1', '01', '0'],
      ['v', '1', '2'],
      ['v', '0', '0'],
    ])
      expect(new Set(Object.values(meanings(store, path)))).toEqual(new Set(['refused']))
  })

  test('means the same to every function, whatever the schema and the path', async () => {
    await fc.assert(
      fc.asyncProperty(schemaAndValue, fc.array(path, { minLength: 1, maxLength: 8 }), async ([v, value], paths) => {
        const store = await open(v, value, driver)
        for (const inner of paths) {
          const said = meanings(store, ['v', ...inner])
          const kinds = new Set(Object.values(said).map((one) => one === 'refused'))
          expect(kinds.size, JSON.stringify({ inner, said })).toBe(1)
          if (kinds.has(true)) continue
          const seen = (said['field$'] as { value: CellValue }).value
          expect(seen, JSON.stringify({ inner, said })).toEqual(follow(value, inner))
          expect([said['where'], said['predicate']]).toEqual(seen === undefined || seen === null ? [0, 0] : [1, 1])
        }
        await store.close()
      }),
      { numRuns: 60 },
    )
  })
})

test('the spelling of a path does not matter where a schema names it', () => {
  const properties = { 'a.b': { type: 'string' }, c: { type: 'string' } }
  const schema = { type: 'object', required: ['a.b', 'c'], properties }
  const { tables } = defineSchema({
    version: 1,
    tables: {
      t: { primaryKey: 'a\\.\\b', schema },
      u: { primaryKey: ['\\c'], references: { 'a\\.\\b': { table: 't' } }, unique: [['\\c', 'a\\.b']], schema },
    },
  } as never)
  expect(tables.get('t')!.model.key.map((column) => column.path)).toEqual(['a\\.b'])
  expect(tables.get('u')!.model.key.map((column) => column.path)).toEqual(['c'])
  expect(tables.get('u')!.model.references[0]!.columns[0]!.path).toBe('a\\.b')
})

/** The value at a path, by the rule in words: an array has indexes, an object names. */
function follow(value: unknown, path: readonly string[]): CellValue {
  return path.reduce<unknown>((at, segment) => {
    if (Array.isArray(at)) return String(Number(segment)) === segment ? at[Number(segment)] : undefined
    return typeof at === 'object' && at !== null && Object.hasOwn(at, segment) ? Reflect.get(at, segment) : undefined
  }, value) as CellValue
}

const name = fc.constantFrom('0', '1', '01', '1e0', '+1', '-1', 'x', 'a.b', '')
const path = fc.array(name, { minLength: 1, maxLength: 5 })

/** A schema of what lies inside a JSON column, with a value that it allows. */
const schemaAndValue = fc.letrec<{ any: [object, unknown]; list: [object, unknown] }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constant<[object, unknown]>([number, 1]),
    fc.tuple(fc.constant({}), fc.jsonValue({ maxDepth: 3 })),
    tie('list'),
    fc
      .tuple(fc.dictionary(name, tie('any'), { maxKeys: 3 }), fc.constantFrom(false, true, undefined))
      .map(([members, additionalProperties]): [object, unknown] => [
        {
          type: 'object',
          properties: Object.fromEntries(Object.entries(members).map(([key, [schema]]) => [key, schema])),
          ...(additionalProperties !== undefined && { additionalProperties }),
        },
        Object.fromEntries(Object.entries(members).map(([key, [, value]]) => [key, value])),
      ]),
    fc
      .tuple(name, tie('any'))
      .map(([key, [additionalProperties, value]]): [object, unknown] => [
        { type: 'object', additionalProperties },
        { [key]: value },
      ]),
    tie('any').map(([schema, value]): [object, unknown] => [{ anyOf: [schema, { type: 'array' }] }, value]),
  ),
  list: tie('any').map(([items, value]): [object, unknown] => [{ type: 'array', items }, [value, value]]),
})).list

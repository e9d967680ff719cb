import {
  ConstraintError,
  createStore,
  defineSchema,
  NotFoundError,
  RowcastError,
  TransactionError,
  ValidationError,
  type ChangeSet,
  type SqliteDriverFactory,
} from 'rowcast'
import { expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      unique: [['slug']],
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          slug: { type: 'string' },
          rank: { type: 'integer', minimum: 0, default: 7 },
          note: { type: ['string', 'null'] },
          text: {
            type: 'object',
            properties: {
              value: { type: 'string', default: '' },
              font: {
                type: 'object',
                properties: {
                  size: { type: 'number', default: 12, minimum: 1 },
                  family: { type: 'string', default: 'serif' },
                },
              },
            },
          },
          anchor: {
            type: 'object',
            required: ['x'],
            properties: { x: { type: 'number' }, y: { type: 'number', default: 0 } },
          },
          points: {
            type: 'array',
            maxItems: 4,
            items: { type: 'object', required: ['x'], properties: { x: { type: 'number' }, y: { type: 'number' } } },
          },
          meta: { type: 'object' },
          'a.b': { type: 'string' },
        },
      },
    },
    cell: {
      primaryKey: ['sheet', 'row'],
      schema: {
        type: 'object',
        additionalProperties: false,
        required: ['sheet', 'row'],
        properties: { sheet: { type: 'string' }, row: { type: 'integer' }, value: { type: 'string', default: '' } },
      },
    },
    scene: {
      singleton: true,
      schema: {
        type: 'object',
        properties: {
          zoom: { type: 'number', default: 1, minimum: 0 },
          sky: { type: 'object', properties: { color: { type: 'string', default: 'blue' } } },
        },
      },
    },
    license: {
      singleton: true,
      schema: {
        type: 'object',
        required: ['owner'],
        properties: { owner: { type: 'string' }, seats: { type: 'integer', default: 1 } },
      },
    },
  },
})

/** What an item of nothing but its key reads as. */
const bare = { rank: 7, text: { value: '', font: { size: 12, family: 'serif' } } }

async function open(driver: SqliteDriverFactory) {
  const store = await createStore({ schema, driver })
  const sets: ChangeSet[] = []
  store.changes$.subscribe((set) => sets.push(set))
  return { store, items: store.table('item'), cells: store.table('cell'), sets }
}

/** The issues of the ValidationError that a call throws. */
function issuesOf(call: () => unknown): ValidationError['issues'] {
  try {
    call()
  } catch (error) {
    if (error instanceof ValidationError) return error.issues
    throw error
  }
  throw new Error('nothing was refused')
}

/** An untyped way in, for what the types refuse. */
interface Loose {
  get(key: unknown): unknown
  insert(row: unknown): unknown
  upsert(row: unknown): unknown
  update(key: unknown, change: unknown): void
  updateMany(keys: unknown, change: unknown): number
  set(key: unknown, path: unknown, value: unknown): void
  reset(key: unknown, path?: unknown): void
  delete(keys: unknown): number
  field$(key: unknown, path: unknown): unknown
}

const loosely = (table: unknown): Loose => table as Loose

describeEachDriver('a table', (driver) => {
  test('inserts one row or many and returns the key or the keys', async () => {
    const { items, cells } = await open(driver())
    expect(items.insert({ id: 'a' })).toBe('a')
    expect(items.insert([{ id: 'c' }, { id: 'b', rank: 1 }])).toEqual(['c', 'b'])
    expect(items.insert([])).toEqual([])
    expect(items.upsert([])).toEqual([])
    expect(cells.insert({ sheet: 's', row: 2 })).toEqual(['s', 2])
    expect(
      cells.insert([
        { sheet: 's', row: 1 },
        { sheet: 'r', row: 9 },
      ]),
    ).toEqual([
      ['s', 1],
      ['r', 9],
    ])
    expect(items.keys()).toEqual(['a', 'b', 'c'])
    expect(cells.keys()).toEqual([
      ['r', 9],
      ['s', 1],
      ['s', 2],
    ])
    expect(items.all()).toEqual([
      { id: 'a', ...bare },
      { id: 'b', ...bare, rank: 1 },
      { id: 'c', ...bare },
    ])
    expect(items.count()).toBe(3)
    expect(items.count({ rank: { lt: 5 } })).toBe(1)
    expect(items.has('a')).toBe(true)
    expect(items.has('z')).toBe(false)
    expect(items.get('z')).toBeUndefined()
    expect(cells.get(['s', 2])).toEqual({ sheet: 's', row: 2, value: '' })
    expect(cells.has(['s', 3])).toBe(false)
    expect(items.name).toBe('item')
  })

  test('finds by where, order, limit and offset', async () => {
    const { items } = await open(driver())
    items.insert([
      { id: 'a', rank: 3 },
      { id: 'b', rank: 1 },
      { id: 'c', rank: 2, text: { font: { size: 30 } } },
      { id: 'd' },
    ])
    const ids = (rows: readonly { id: string }[]): string => rows.map((row) => row.id).join('')
    expect(ids(items.find({ orderBy: 'rank' }))).toBe('bcad')
    expect(ids(items.find({ orderBy: '-rank', limit: 2 }))).toBe('da')
    expect(ids(items.find({ orderBy: '-rank', limit: 2, offset: 1 }))).toBe('ac')
    expect(ids(items.find({ offset: 3 }))).toBe('d')
    expect(ids(items.find({ limit: 0 }))).toBe('')
    expect(ids(items.find({ where: { 'text.font.size': { gt: 12 } } }))).toBe('c')
    expect(ids(items.find({ where: { or: [{ rank: 1 }, { id: 'd' }] } }))).toBe('bd')
    expect(ids(items.find({ where: { slug: null } }))).toBe('abcd')
  })

  test('refuses a row with table, key, path and keyword, and nothing changes', async () => {
    const { items, cells, sets } = await open(driver())
    const loose = loosely(items)
    expect(issuesOf(() => items.insert({ id: 'a', rank: -1 }))).toEqual([
      expect.objectContaining({ table: 'item', key: 'a', path: 'rank', keyword: 'minimum' }),
    ])
    expect(issuesOf(() => loose.insert({ id: 'a', points: [{ x: 1 }, { x: 'no' }] }))).toContainEqual(
      expect.objectContaining({ path: 'points.1.x', keyword: 'type' }),
    )
    expect(issuesOf(() => loose.insert({ rank: 1 }))).toContainEqual(
      expect.objectContaining({ key: undefined, path: 'id', keyword: 'required' }),
    )
    expect(issuesOf(() => loose.insert({ id: 1 }))).toContainEqual(
      expect.objectContaining({ path: 'id', keyword: 'type' }),
    )
    expect(issuesOf(() => loose.insert({ id: 'a', anchor: {} }))).toContainEqual(
      expect.objectContaining({ path: 'anchor.x', keyword: 'required' }),
    )
    expect(issuesOf(() => loose.insert({ id: 'a', 'a.b': 1 }))).toContainEqual(
      expect.objectContaining({ path: 'a\\.b', keyword: 'type' }),
    )
    expect(issuesOf(() => loosely(cells).insert({ sheet: 's', row: 1, extra: 1 }))).toContainEqual(
      expect.objectContaining({ table: 'cell', key: ['s', 1], path: 'extra', keyword: 'additionalProperties' }),
    )
    for (const row of [null, undefined, 1, 'x', new Date(0), new Map()])
      expect(() => loose.insert(row), String(row)).toThrow(ValidationError)
    for (const value of [
      () => 1,
      Symbol('x'),
      new Date(0),
      new Map(),
      new Uint8Array(1),
      1n,
      Number.NaN,
      { toJSON: () => 1 },
    ])
      expect(() => loose.insert({ id: 'x', meta: { value } }), String(value)).toThrow(ValidationError)
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    expect(() => loose.insert({ id: 'x', meta: cyclic })).toThrow(ValidationError)
    expect(items.count()).toBe(0)
    items.insert({ id: 'a', slug: 's' })
    expect(() => items.insert({ id: 'a' })).toThrow(ConstraintError)
    expect(() => items.insert({ id: 'b', slug: 's' })).toThrow(ConstraintError)
    expect(items.keys()).toEqual(['a'])
    expect(sets).toHaveLength(1)
  })

  test('upsert makes a row exactly what is given, or inserts it', async () => {
    const { items, cells, sets } = await open(driver())
    items.insert({ id: 'a', rank: 1, note: 'n', slug: 's', extra: 1, anchor: { x: 1 } } as never)
    expect(items.upsert({ id: 'a', note: null })).toBe('a')
    expect(items.get('a')).toEqual({ id: 'a', ...bare, note: null })
    expect(items.upsert([{ id: 'b' }, { id: 'a', rank: 2 }, { id: 'b', slug: 'x' }])).toEqual(['b', 'a', 'b'])
    expect(items.all()).toEqual([
      { id: 'a', ...bare, rank: 2 },
      { id: 'b', ...bare, slug: 'x' },
    ])
    expect(() => items.upsert({ id: 'a', slug: 'x' })).toThrow(ConstraintError)
    expect(() => items.upsert({ id: 'a', rank: -1 })).toThrow(ValidationError)
    expect(() => loosely(items).upsert({ rank: 1 })).toThrow(ValidationError)
    expect(cells.upsert({ sheet: 's', row: 1, value: 'x' })).toEqual(['s', 1])
    cells.upsert({ sheet: 's', row: 1 })
    expect(cells.all()).toEqual([{ sheet: 's', row: 1, value: '' }])
    const count = sets.length
    items.upsert({ id: 'b', slug: 'x' })
    expect(sets).toHaveLength(count)
  })

  test('update merges a deep partial: what is not named stays, undefined removes', async () => {
    const { items } = await open(driver())
    items.insert({
      id: 'a',
      note: 'n',
      text: { value: 'v', font: { size: 20 } },
      meta: { deep: { one: 1, two: 2 }, list: [1] },
      points: [{ x: 1 }],
    })
    items.update('a', { text: { font: { family: 'sans' } } })
    expect(items.get('a')?.text).toEqual({ value: 'v', font: { size: 20, family: 'sans' } })
    items.update('a', { text: { font: { size: undefined } }, note: undefined })
    expect(items.get('a')?.text).toEqual({ value: 'v', font: { size: 12, family: 'sans' } })
    expect(items.get('a')).not.toHaveProperty('note')
    items.update('a', { meta: { deep: { two: undefined, three: 3 } } })
    expect(items.get('a')?.meta).toEqual({ deep: { one: 1, three: 3 }, list: [1] })
    items.update('a', { points: [{ x: 5 }], note: null })
    expect(items.get('a')).toMatchObject({ points: [{ x: 5 }], note: null })
    items.update('a', { text: undefined })
    expect(items.get('a')?.text).toEqual(bare.text)
    items.update('a', { anchor: { x: 3 } })
    expect(items.get('a')?.anchor).toEqual({ x: 3, y: 0 })
    items.update('a', { anchor: { y: 4 } })
    expect(items.get('a')?.anchor).toEqual({ x: 3, y: 4 })
    items.update('a', { anchor: undefined })
    expect(items.get('a')).not.toHaveProperty('anchor')
    expect(issuesOf(() => items.update('a', { anchor: { y: 1 } }))).toContainEqual(
      expect.objectContaining({ key: 'a', path: 'anchor.x', keyword: 'required' }),
    )
    expect(items.get('a')).not.toHaveProperty('anchor')
    items.update('a', { 'a.b': 'dotted', undeclared: { x: 1 } } as never)
    expect(items.get('a')).toMatchObject({ 'a.b': 'dotted', undeclared: { x: 1 } })
    const before = items.get('a')
    for (const bad of [
      { rank: -1 },
      { rank: 1, text: { font: { size: 0 } } },
      { points: [{}] },
      { text: null },
      { text: 5 },
      { rank: null },
      5,
      null,
      [1],
    ])
      expect(() => loosely(items).update('a', bad), JSON.stringify(bad)).toThrow(ValidationError)
    expect(items.get('a')).toBe(before)
    expect(() => items.update('none', { rank: 1 })).toThrow(NotFoundError)
    expect(() => items.update('none', () => undefined)).toThrow(NotFoundError)
    expect(() => items.update('a', { id: 'b' })).toThrow(ValidationError)
    expect(() => items.update('a', { id: 'a', rank: 3 })).not.toThrow()
    expect(items.get('a')?.rank).toBe(3)
  })

  test('update takes a recipe, which changes in place or returns a row', async () => {
    const { items, sets } = await open(driver())
    items.insert({ id: 'a', points: [{ x: 1 }], meta: { list: [1] } })
    sets.length = 0
    items.update('a', (row) => {
      if (row.text?.font) row.text.font.size = 20
      row.points?.push({ x: 2 })
      row.rank = 1
    })
    expect(items.get('a')).toMatchObject({ rank: 1, text: { font: { size: 20 } }, points: [{ x: 1 }, { x: 2 }] })
    expect(sets.map((set) => set.changes)).toEqual([
      [
        {
          table: 'item',
          key: 'a',
          op: 'update',
          before: { rank: 7, 'text.font.size': 12, points: [{ x: 1 }] },
          after: { rank: 1, 'text.font.size': 20, points: [{ x: 1 }, { x: 2 }] },
        },
      ],
    ])
    items.update('a', (row) => ({ ...row, rank: 2 }))
    expect(items.get('a')?.rank).toBe(2)
    items.update('a', (row) => {
      delete row.points
    })
    expect(items.get('a')).not.toHaveProperty('points')
    const before = items.get('a')
    items.update('a', () => undefined)
    expect(items.get('a')).toBe(before)
    expect(() =>
      items.update('a', (row) => {
        row.rank = -1
      }),
    ).toThrow(ValidationError)
    expect(() =>
      items.update('a', (row) => {
        row.rank = 9
        throw new Error('recipe')
      }),
    ).toThrow('recipe')
    expect(() =>
      items.update('a', (row) => {
        ;(row as { id: string }).id = 'b'
      }),
    ).toThrow(ValidationError)
    expect(() => loosely(items).update('a', async () => undefined)).toThrow(TransactionError)
    expect(() => loosely(items).update('a', () => null)).toThrow(ValidationError)
    expect(() => loosely(items).update('a', () => 5)).toThrow(ValidationError)
    expect(items.get('a')).toBe(before)
  })

  test('updateMany changes rows by keys or by where, all of them or none', async () => {
    const { items, cells, sets } = await open(driver())
    items.insert([
      { id: 'a', rank: 1 },
      { id: 'b', rank: 2 },
      { id: 'c', rank: 3 },
    ])
    cells.insert([
      { sheet: 's', row: 1 },
      { sheet: 's', row: 2 },
    ])
    sets.length = 0
    expect(items.updateMany({ rank: { gte: 2 } }, { note: 'x', text: { value: 'y' } })).toBe(2)
    expect(sets).toHaveLength(1)
    expect(items.all().map((row) => [row.note, row.text?.value])).toEqual([
      [undefined, ''],
      ['x', 'y'],
      ['x', 'y'],
    ])
    expect(
      items.updateMany(['a', 'c'], (row) => {
        row.rank = (row.rank ?? 0) + 10
      }),
    ).toBe(2)
    expect(items.all().map((row) => row.rank)).toEqual([11, 2, 13])
    expect(items.updateMany([], { rank: 1 })).toBe(0)
    expect(items.updateMany({ rank: 999 }, { rank: 1 })).toBe(0)
    expect(items.updateMany({}, { rank: 5 })).toBe(3)
    expect(items.updateMany({ rank: 5 }, { rank: 6 })).toBe(3)
    expect(
      cells.updateMany(
        [
          ['s', 1],
          ['s', 2],
        ],
        { value: 'v' },
      ),
    ).toBe(2)
    expect(cells.updateMany({ row: 2 }, { value: 'w' })).toBe(1)
    expect(cells.all().map((row) => row.value)).toEqual(['v', 'w'])
    const before = items.all()
    expect(() => items.updateMany(['a', 'none', 'c'], { rank: 0 })).toThrow(NotFoundError)
    expect(() => items.updateMany(['a', 'b'], { rank: -1 })).toThrow(ValidationError)
    expect(() => items.updateMany({}, { slug: 'same' })).toThrow(ConstraintError)
    let calls = 0
    expect(() =>
      items.updateMany({}, () => {
        if (++calls === 2) throw new Error('second')
      }),
    ).toThrow('second')
    expect(items.all()).toEqual(before)
    items.updateMany(['a', 'b'], { anchor: { x: 1 } })
    expect(items.get('b')?.anchor).toEqual({ x: 1, y: 0 })
    expect(items.updateMany(['a', 'b', 'c'], { anchor: { x: 2 } })).toBe(3)
    expect(items.all().map((row) => row.anchor?.x)).toEqual([2, 2, 2])
    items.reset('b', 'anchor')
    expect(() => items.updateMany(['a', 'b'], { anchor: { y: 2 } })).toThrow(ValidationError)
    expect(items.get('a')?.anchor).toEqual({ x: 2, y: 0 })
  })

  test('sets by paths through objects and arrays, by escaped dots and by segments', async () => {
    const { items } = await open(driver())
    items.insert({ id: 'a', points: [{ x: 1 }, { x: 2 }], meta: {} })
    const loose = loosely(items)
    items.set('a', 'text.font.size', 33)
    items.set('a', 'points.0.x', 10)
    items.set('a', ['points', 1, 'y'], 20)
    loose.set('a', ['points', '1', 'x'], 21)
    items.set('a', 'a\\.b', 'dot')
    loose.set('a', 'meta.x\\.y', 1)
    loose.set('a', ['meta', 'list'], [1, 2])
    loose.set('a', 'meta.list.1', { deep: true })
    loose.set('a', 'meta.list.2', 3)
    loose.set('a', 'meta.new.er', 'x')
    items.set('a', 'anchor', { x: 1 })
    items.set('a', 'anchor.y', 5)
    items.set('a', 'text', { value: 'whole' })
    items.set('a', 'note', null)
    expect(items.get('a')).toEqual({
      id: 'a',
      rank: 7,
      note: null,
      text: { value: 'whole', font: { size: 12, family: 'serif' } },
      points: [{ x: 10 }, { x: 21, y: 20 }],
      'a.b': 'dot',
      meta: { 'x.y': 1, list: [1, { deep: true }, 3], new: { er: 'x' } },
      anchor: { x: 1, y: 5 },
    })
    items.set('a', ['a.b'], 'again')
    expect(items.get('a')?.['a.b']).toBe('again')
    loose.set('a', 'points.2', { x: 7 })
    expect(items.get('a')?.points).toHaveLength(3)
    loose.set('a', 'undeclared.deep', [1])
    loose.set('a', 'undeclared.deep.0', 2)
    loose.set('a', 'text.more', 'm')
    expect(items.get('a')).toMatchObject({ undeclared: { deep: [2] }, text: { more: 'm' } })
    loose.set('a', ['__proto__', 'polluted'], 1)
    loose.set('a', 'constructor', 'c')
    loose.set('a', 'toString', 't')
    const row = items.get('a') as Record<string, unknown>
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
    expect(Object.getOwnPropertyDescriptor(row, '__proto__')?.value).toEqual({ polluted: 1 })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Object.hasOwn(row, 'constructor') && row['constructor']).toBe('c')
    expect(Object.hasOwn(row, 'toString') && row['toString']).toBe('t')
  })

  test('refuses paths that lead nowhere and values that do not fit, and nothing changes', async () => {
    const { items, cells, sets } = await open(driver())
    items.insert({ id: 'a', points: [{ x: 1 }] })
    cells.insert({ sheet: 's', row: 1 })
    const before = items.get('a')
    sets.length = 0
    const loose = loosely(items)
    for (const path of [
      'points.5.x',
      'points.2',
      'points.x',
      'points.-1',
      'points.length',
      'points.0.x.y',
      'rank.x',
      'id.x',
      'text.value.x',
      'points.1.x.y',
    ])
      expect(() => loose.set('a', path, 1), path).toThrow(RowcastError)
    for (const path of ['points.5.x', 'points.x', 'rank.x', 'text.value.x'])
      expect(() => loose.set('a', path, 1), path).toThrow(NotFoundError)
    for (const path of ['nothing', 'value.x', 'value.0', '__proto__', 'constructor', 'toString.x'])
      expect(() => loosely(cells).set(['s', 1], path, 'x'), path).toThrow(NotFoundError)
    expect(() => items.set('none', 'rank', 1)).toThrow(NotFoundError)
    expect(() => loose.set('a', 'a.b', 'not that dot')).not.toThrow()
    expect(items.get('a')).toMatchObject({ a: { b: 'not that dot' } })
    loose.reset('a', 'a')
    expect(items.get('a')).toEqual(before)
    const kept = items.get('a')
    sets.length = 0
    const refused: [path: string, value: unknown, keyword: string, at?: string][] = [
      ['rank', -1, 'minimum'],
      ['rank', 1.5, 'type'],
      ['rank', '1', 'type'],
      ['rank', null, 'type'],
      ['rank', 2 ** 53, 'type'],
      ['rank', Number.NaN, 'type'],
      ['text.font.size', 0, 'minimum'],
      ['text.font', { size: 0 }, 'minimum', 'text.font.size'],
      ['text', null, 'type'],
      ['text', 'x', 'type'],
      ['points.0.x', 'x', 'type'],
      ['points.0', {}, 'required', 'points.0.x'],
      ['points', [{ x: 1 }, { x: 1 }, { x: 1 }, { x: 1 }, { x: 1 }], 'maxItems'],
      ['points', null, 'type'],
      ['anchor', {}, 'required', 'anchor.x'],
      ['note', 5, 'type'],
      ['a\\.b', 5, 'type'],
      ['slug', 'nul\0', 'type'],
      ['slug', 'half\ud800', 'type'],
    ]
    for (const [path, value, keyword, at] of refused)
      expect(
        issuesOf(() => loose.set('a', path, value)),
        path,
      ).toContainEqual(expect.objectContaining({ table: 'item', key: 'a', path: at ?? path, keyword }))
    expect(() => loose.set('a', 'id', 'b')).toThrow(ValidationError)
    expect(() => items.set('a', 'id' as never, 'a' as never)).not.toThrow()
    expect(() => loose.set('a', 'id', undefined)).toThrow(ValidationError)
    expect(items.get('a')).toBe(kept)
    expect(sets).toEqual([])
    expect(() => loose.field$('a', 'rank.x')).toThrow(NotFoundError)
    expect(() => loosely(cells).field$(['s', 1], 'nothing')).toThrow(NotFoundError)
  })

  test('resets a leaf, an object, an array element or all but the key', async () => {
    const { items, sets } = await open(driver())
    items.insert({
      id: 'a',
      rank: 1,
      slug: 's',
      note: 'n',
      text: { value: 'v', font: { size: 1, family: 'f' } },
      points: [{ x: 1, y: 2 }, { x: 2 }],
      anchor: { x: 1 },
      meta: { x: 1 },
    })
    items.reset('a', 'rank')
    expect(items.get('a')?.rank).toBe(7)
    items.reset('a', 'text.font.size')
    expect(items.get('a')?.text?.font).toEqual({ size: 12, family: 'f' })
    items.reset('a', 'text.font')
    expect(items.get('a')?.text).toEqual({ value: 'v', font: { size: 12, family: 'serif' } })
    items.reset('a', 'points.0.y')
    expect(items.get('a')?.points).toEqual([{ x: 1 }, { x: 2 }])
    items.reset('a', 'points.0')
    expect(items.get('a')?.points).toEqual([{ x: 2 }])
    expect(() => items.reset('a', 'points.0.x')).toThrow(ValidationError)
    expect(() => items.reset('a', 'anchor.x')).toThrow(ValidationError)
    expect(() => items.reset('a', 'id')).toThrow(ValidationError)
    items.reset('a', 'anchor')
    items.reset('a', 'note')
    expect(items.get('a')).toEqual({
      id: 'a',
      rank: 7,
      slug: 's',
      text: { value: 'v', font: { size: 12, family: 'serif' } },
      points: [{ x: 2 }],
      meta: { x: 1 },
    })
    items.update('a', { more: 1 } as never)
    items.reset('a')
    expect(items.get('a')).toEqual({ id: 'a', ...bare })
    sets.length = 0
    items.reset('a')
    items.reset('a', 'rank')
    items.reset('a', 'anchor')
    loosely(items).reset('a', 'anchor.y')
    loosely(items).reset('a', 'meta.x.y')
    loosely(items).reset('a', 'undeclared.x')
    expect(items.get('a')).toEqual({ id: 'a', ...bare })
    expect(sets).toEqual([])
    expect(() => items.reset('none')).toThrow(NotFoundError)
    expect(() => items.reset('none', 'rank')).toThrow(NotFoundError)
  })

  test('deletes by key, by keys and by where, and returns how many were there', async () => {
    const { items, cells, sets } = await open(driver())
    items.insert(['a', 'b', 'c', 'd', 'e'].map((id, rank) => ({ id, rank })))
    cells.insert([1, 2, 3, 4].map((row) => ({ sheet: 's', row })))
    sets.length = 0
    expect(items.delete('a')).toBe(1)
    expect(items.delete('a')).toBe(0)
    expect(items.delete(['b', 'none', 'b'])).toBe(1)
    expect(items.delete([])).toBe(0)
    expect(items.delete({ where: { rank: { gte: 3 } } })).toBe(2)
    expect(items.keys()).toEqual(['c'])
    expect(cells.delete(['s', 1])).toBe(1)
    expect(
      cells.delete([
        ['s', 2],
        ['s', 9],
        ['s', 3],
      ]),
    ).toBe(2)
    expect(cells.delete([])).toBe(0)
    expect(cells.delete({ where: {} })).toBe(1)
    expect(cells.count()).toBe(0)
    expect(sets.map((set) => set.changes.length)).toEqual([1, 1, 2, 1, 2, 1])
  })

  test('keeps what was given apart from what callers go on changing', async () => {
    const { items } = await open(driver())
    const row = { id: 'a', points: [{ x: 1 }], meta: { list: [1] } }
    items.insert(row)
    row.points[0]!.x = 99
    row.meta.list.push(2)
    expect(items.get('a')).toMatchObject({ points: [{ x: 1 }], meta: { list: [1] } })
    const points = [{ x: 5 }]
    items.set('a', 'points', points)
    expect(Object.isFrozen(points)).toBe(false)
    points[0]!.x = 6
    expect(items.get('a')?.points).toEqual([{ x: 5 }])
    expect(() => {
      ;(items.get('a') as { rank: number }).rank = 3
    }).toThrow(TypeError)
  })

  test('refuses keys of the wrong kind in whichever call, and never takes one for another', async () => {
    const { items, cells } = await open(driver())
    items.insert({ id: '1' })
    cells.insert({ sheet: '1', row: 1 })
    for (const key of [1, null, undefined, {}, [], true, 1n, ['1']]) {
      let found: unknown
      try {
        found = loosely(items).get(key)
      } catch (error) {
        expect(error, String(key)).toBeInstanceOf(RowcastError)
      }
      expect(found, String(key)).toBeUndefined()
    }
    for (const key of ['1', ['1'], ['1', '1'], [1, 1], ['1', 1, 1], ['1', null], null]) {
      let found: unknown
      try {
        found = loosely(cells).get(key)
      } catch (error) {
        expect(error, String(key)).toBeInstanceOf(RowcastError)
      }
      expect(found, JSON.stringify(key)).toBeUndefined()
    }
  })
})

describeEachDriver('a singleton', (driver) => {
  test('is there from the beginning where its defaults make it valid', async () => {
    const { store, sets } = await open(driver())
    const scene = store.value('scene')
    expect(scene.get()).toEqual({ zoom: 1, sky: { color: 'blue' } })
    expect(scene.get()).toBe(scene.get())
    scene.set('zoom', 2)
    scene.set('sky.color', 'red')
    scene.update({ sky: { color: 'green' } })
    scene.update((value) => {
      value.zoom = 3
    })
    expect(scene.get()).toEqual({ zoom: 3, sky: { color: 'green' } })
    scene.reset('sky.color')
    expect(scene.get()).toEqual({ zoom: 3, sky: { color: 'blue' } })
    scene.reset()
    expect(scene.get()).toEqual({ zoom: 1, sky: { color: 'blue' } })
    expect(sets.every((set) => set.changes.every((change) => change.table === 'scene' && change.op === 'update'))).toBe(
      true,
    )
    const issues = issuesOf(() => scene.set('zoom', -1))
    expect(issues).toEqual([expect.objectContaining({ table: 'scene', path: 'zoom', keyword: 'minimum' })])
    expect(() => scene.update({ zoom: -1 })).toThrow(ValidationError)
    expect(() => scene.set('zoom.x' as never, 1 as never)).toThrow(NotFoundError)
    expect(scene.get()).toEqual({ zoom: 1, sky: { color: 'blue' } })
  })

  test('is undefined until what it requires was given', async () => {
    const { store } = await open(driver())
    const license = store.value('license')
    expect(license.get()).toBeUndefined()
    const before = store.export()
    expect(issuesOf(() => license.update({ seats: 3 }))).toEqual([
      expect.objectContaining({ table: 'license', path: 'owner', keyword: 'required' }),
    ])
    expect(license.get()).toBeUndefined()
    license.update({ owner: 'me' })
    expect(license.get()).toEqual({ owner: 'me', seats: 1 })
    license.set('seats', 5)
    expect(() => license.reset('owner')).toThrow(ValidationError)
    expect(() => license.reset()).toThrow(ValidationError)
    expect(license.get()).toEqual({ owner: 'me', seats: 5 })
    const copy = await createStore({ schema, driver: driver(), data: store.export() })
    expect(copy.value('license').get()).toEqual({ owner: 'me', seats: 5 })
    copy.import(before)
    expect(copy.value('license').get()).toBeUndefined()
  })

  test('is no table of rows, and a table of rows is no singleton', async () => {
    const { store } = await open(driver())
    expect(() => store.value('item' as never)).toThrow(RowcastError)
    expect(() => store.value('nothing' as never)).toThrow(NotFoundError)
    expect(() => store.table('nothing' as never)).toThrow(NotFoundError)
  })
})

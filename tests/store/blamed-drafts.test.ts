import { ConstraintError, createStore, defineSchema, sql, ValidationError } from 'rowcast'
import { describe, expect, test } from 'vitest'

const id = { type: 'integer' } as const
const schema = defineSchema({
  version: 1,
  tables: {
    parent: { primaryKey: 'id', schema: { type: 'object', required: ['id'], properties: { id } } },
    item: {
      primaryKey: 'id',
      references: { parent: { table: 'parent', onDelete: 'setNull' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id,
          kind: { type: 'string', maxLength: 3 },
          y: { type: 'integer' },
          z: { type: 'integer' },
          parent: { type: 'integer' },
        },
        dependentRequired: { z: ['parent'] },
        anyOf: [{ properties: { kind: { not: { const: 'b' } } } }, { required: ['y'] }],
      },
    },
  },
})

const open = async () => {
  const store = await createStore({ schema })
  store.table('parent').insert({ id: 1 })
  store.table('item').insert([
    { id: 1, kind: 'a', y: 1, parent: 1 },
    { id: 2, kind: 'a', parent: 1 },
  ])
  return store
}
type Store = Awaited<ReturnType<typeof open>>

const refusal = (run: () => unknown): ValidationError => {
  try {
    run()
  } catch (error) {
    if (error instanceof ValidationError) return error
    throw error
  }
  throw new Error('it was not refused')
}

test.each<[what: string, write: (store: Store) => void]>([
  ['set', (store) => store.table('item').set(1, 'kind', 'b')],
  ['a patch', (store) => store.table('item').update(1, { kind: 'b' })],
  ['a recipe', (store) => store.table('item').update(1, (row) => void (row.kind = 'b'))],
  ['updateMany', (store) => store.table('item').updateMany([1], { kind: 'b' })],
  ['SQL', (store) => store.exec(sql`update item set kind = 'b' where id = 1`)],
  ["another draft's set", (store) => store.draft().table('item').set(1, 'kind', 'b')],
  ["another draft's SQL", (store) => store.draft().exec(sql`update item set kind = 'b' where id = 1`)],
  ['a delete that clears a reference', (store) => store.table('parent').delete(1)],
  ['the same by a condition', (store) => store.table('parent').delete({ where: { id: 1 } })],
  ['the same in SQL', (store) => store.exec(sql`delete from parent`)],
  ['the same by another draft', (store) => store.draft().table('parent').delete(1)],
])('what is refused only for what a draft has changed names the draft: %s', async (_what, write) => {
  const store = await open()
  const draft = store.draft({ label: 'Tidy' })
  draft.table('item').reset(1, 'y')
  draft.table('item').set(2, 'z', 1)
  const error = refusal(() => write(store))
  expect(error.draftId).toBe(draft.id)
  expect(error.message).toContain(`with what draft 'Tidy' (${draft.id}) has changed: commit or cancel it first`)
  draft.cancel()
  write(store)
})

test('two drafts that only together stand in the way are named by the last', async () => {
  const store = await open()
  store.table('item').update(2, { y: 1 })
  const [first, last] = [store.draft(), store.draft()]
  first.table('item').reset(1, 'y')
  last.table('item').set(1, 'y', 4)
  last.table('item').reset(1, 'y')
  expect(refusal(() => store.table('item').set(1, 'kind', 'b')).draftId).toBe(last.id)
})

test('what is valid only as it is seen names the draft that hides what is committed', async () => {
  const store = await open()
  store.table('item').set(1, 'kind', 'b')
  const draft = store.draft({ label: 'Tidy' })
  draft.table('item').set(1, 'kind', 'a')
  const outside = refusal(() => store.table('item').reset(1, 'y'))
  expect(outside.draftId).toBe(draft.id)
  expect(outside.message).toMatch(/without what draft 'Tidy' .* has changed, which hides it/)
  const other = store.draft()
  other.table('item').reset(1, 'y')
  expect(refusal(() => other.commit()).draftId).toBe(draft.id)
})

test('what is wrong by itself names no draft, whatever is open over the row', async () => {
  const store = await open()
  const draft = store.draft()
  draft.table('item').reset(1, 'y')
  draft.table('item').set(2, 'z', 1)
  for (const write of [
    () => store.table('item').set(1, 'kind', 'long'),
    () => store.table('item').update(1, { kind: 'b', y: undefined }),
    () => store.table('item').upsert({ id: 1, kind: 'b' }),
    () => store.table('item').insert({ id: 3, kind: 'b' }),
    () => store.exec(sql`insert into item (id, z) values (3, 3)`),
    () => draft.table('item').set(1, 'kind', 'b'),
  ]) {
    const error = refusal(write)
    expect(error.draftId).toBeUndefined()
    expect(error.message).not.toContain('draft')
  }
})

describe('a value that only a draft has taken', () => {
  const text = { type: 'string' } as const
  const tags = defineSchema({
    version: 1,
    tables: {
      tag: {
        primaryKey: 'id',
        unique: [['code'], ['group', 'rank'], ['box.slot']],
        schema: {
          type: 'object',
          required: ['id'],
          properties: {
            id: text,
            code: { type: ['string', 'null'], default: null },
            group: { type: ['string', 'null'], default: null },
            rank: { type: 'integer', default: 0 },
            box: { type: ['object', 'null'], default: null, properties: { slot: { type: 'integer', default: 1 } } },
          },
        },
      },
      pin: {
        primaryKey: 'id',
        references: { tag: { table: 'tag', onDelete: 'restrict' } },
        schema: { type: 'object', required: ['id'], properties: { id: text, tag: text } },
      },
    },
  })
  const begin = () =>
    createStore({
      schema: tags,
      data: {
        tag: [
          { id: 'a', code: 'A', group: 'g', rank: 1 },
          { id: 'b', code: 'B', group: 'h', rank: 2 },
          { id: 'c', code: 'C', group: 'g', rank: 5 },
        ],
        pin: [{ id: 'p' }],
      },
    })
  type Tags = Awaited<ReturnType<typeof begin>>
  type Writes = Tags | ReturnType<Tags['draft']>

  const refused = (run: () => unknown): ConstraintError => {
    try {
      run()
    } catch (error) {
      if (error instanceof ConstraintError) return error
      throw error
    }
    throw new Error('it was not refused')
  }

  test.each<[what: string, drafted: (draft: Writes) => void, write: (store: Writes) => void, who?: string]>([
    ['by set', (d) => d.table('tag').set('a', 'code', 'X'), (s) => s.table('tag').set('b', 'code', 'X')],
    ['by a patch', (d) => d.table('tag').set('a', 'code', 'X'), (s) => s.table('tag').update('b', { code: 'X' })],
    [
      'by a recipe',
      (d) => d.table('tag').set('a', 'code', 'X'),
      (s) => s.table('tag').update('b', (row) => void (row.code = 'X')),
    ],
    ['by insert', (d) => d.table('tag').set('a', 'code', 'X'), (s) => s.table('tag').insert({ id: 'd', code: 'X' })],
    [
      'by an insert of many',
      (d) => d.table('tag').set('a', 'code', 'X'),
      (s) => s.table('tag').insert(['D', 'X', 'E'].map((code) => ({ id: `new ${code}`, code }))),
    ],
    ['by upsert', (d) => d.table('tag').set('a', 'code', 'X'), (s) => s.table('tag').upsert({ id: 'd', code: 'X' })],
    [
      'by an upsert of several',
      (d) => d.table('tag').set('a', 'code', 'X'),
      (s) =>
        s.table('tag').upsert([
          { id: 'b', code: 'X' },
          { id: 'c', code: 'C' },
        ]),
    ],
    [
      'by updateMany',
      (d) => d.table('tag').set('a', 'code', 'X'),
      (s) => s.table('tag').updateMany(['b', 'c'], (row) => void (row.code = row.id === 'b' ? 'X' : row.code)),
    ],
    [
      'in its own row',
      (d) => d.table('tag').insert({ id: 'a2', code: 'X' }),
      (s) => s.table('tag').set('b', 'code', 'X'),
      'a2',
    ],
    [
      'in one of several columns',
      (d) => d.table('tag').set('a', 'rank', 3),
      (s) => s.table('tag').update('b', { group: 'g', rank: 3 }),
    ],
    [
      'in another column of the row that is written',
      (d) => d.table('tag').set('b', 'rank', 1),
      (s) => s.table('tag').set('b', 'group', 'g'),
    ],
    [
      'with the object around it',
      (d) => d.table('tag').set('a', 'box', {}),
      (s) => s.table('tag').set('b', 'box', { slot: 1 }),
    ],
    ['as a key', (d) => d.table('tag').insert({ id: 'd' }), (s) => s.table('tag').insert({ id: 'd' }), 'd'],
    ['as a parent', (d) => d.table('pin').set('p', 'tag', 'b'), (s) => s.table('tag').delete('b'), 'p'],
    [
      'as a parent, of a row of its own',
      (d) => d.table('pin').insert({ id: 'q', tag: 'b' }),
      (s) => s.table('tag').delete('b'),
      'q',
    ],
    ['as a parent that is gone', (d) => d.table('tag').delete('b'), (s) => s.table('pin').set('p', 'tag', 'b'), 'b'],
  ])('names the draft: %s', async (_what, drafted, write, who = 'a') => {
    for (const within of [(store: Tags): Writes => store, (store: Tags): Writes => store.draft()]) {
      const store = await begin()
      const draft = store.draft({ label: 'Tidy' })
      drafted(draft)
      const writer = within(store)
      const error = refused(() => write(writer))
      expect(error.draftId).toBe(draft.id)
      expect(error.message).toContain(`draft 'Tidy' (${draft.id})`)
      expect(error.message).toContain(JSON.stringify(who))
      draft.cancel()
      write(writer)
    }
  })

  test('names only the row where it has the value anyhow, or in the draft that writes', async () => {
    const store = await begin()
    const draft = store.draft()
    draft.table('tag').set('a', 'rank', 7)
    for (const write of [
      () => store.table('tag').set('b', 'code', 'A'),
      () => store.table('tag').insert({ id: 'd', code: 'A' }),
      () => draft.table('tag').update('b', { group: 'g', rank: 7 }),
      () => store.table('tag').insert({ id: 'a', code: 'Z' }),
    ]) {
      const error = refused(write)
      expect(error.draftId).toBeUndefined()
      expect(error.message).toMatch(/another row has the same .*: "a"$/)
    }
  })

  test('keep of a conflict says which row has the value', async () => {
    const store = await begin()
    const draft = store.draft()
    draft.table('tag').set('a', 'code', 'X')
    store.table('tag').set('a', 'code', 'Y')
    store.table('tag').set('b', 'code', 'X')
    const error = refused(() => draft.keep({ table: 'tag', key: 'a', path: 'code' }))
    expect(error).toMatchObject({ constraint: 'unique', table: 'tag', columns: ['code'], draftId: undefined })
    expect(error.message).toBe('tag: another row has the same code: "b"')
    const other = store.draft()
    store.table('tag').set('b', 'code', 'B')
    other.table('tag').set('c', 'code', 'X')
    expect(refused(() => draft.keep({ table: 'tag', key: 'a', path: 'code' })).draftId).toBe(other.id)
  })
})

import { createStore, defineSchema, sql, ValidationError } from 'rowcast'
import { expect, test } from 'vitest'

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

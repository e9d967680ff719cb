import { Ajv } from 'ajv'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createStore, defineSchema } from 'rowcast'
import { addUniqueItems } from '../../src/schema/unique-items.ts'

const ITEMS: readonly (object | undefined)[] = [
  undefined,
  { type: 'string' },
  { type: ['string', 'number', 'null', 'boolean'] },
  { type: 'object' },
]

function ajvs(): readonly Ajv[] {
  return [false, true].map((isOurs) => {
    const ajv = new Ajv({ strict: false, allErrors: true, ownProperties: true })
    if (isOurs) addUniqueItems(ajv)
    return ajv
  })
}

// Few values, so that they meet; ajv's own fails on objects that have `valueOf` or `toString`, and takes `__proto__` for new.
const scalar = fc.constantFrom(0, -0, 1, 1.5, '', '1', 'a', 'n1', 'number 1', 'null', null, true, false, '\ud800', '"')
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    scalar,
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', '"', 'a":1,"b'), tie('value'), { maxKeys: 2, noNullPrototype: true }),
  ),
}))

test.each(ITEMS)('duplicates are found as ajv finds them, with items %j', (items) => {
  const [theirs, ours] = ajvs().map((ajv) => ajv.compile({ type: 'array', uniqueItems: true, ...(items && { items }) }))
  fc.assert(
    fc.property(fc.array(value, { maxLength: 6 }), (list) => {
      // ajv passes over items of a wrong type where it says that they are: those are refused anyway.
      const valid = theirs!(list)
      expect(ours!(list)).toBe(valid)
      if (!theirs!.errors?.some(({ keyword }) => keyword === 'type')) expect(ours!.errors).toEqual(theirs!.errors)
    }),
    { numRuns: 1_000 },
  )
})

test.each([
  [
    [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ],
    false,
  ],
  [[[0], [-0]], false],
  [['__proto__', '__proto__'], false],
  [[{ valueOf: 1 }, { toString: 1 }, { constructor: 1 }], true],
  [[{ valueOf: 1 }, { valueOf: 1 }], false],
  [[1, '1', true, 'true', null, 'null', [], {}, ''], true],
])('of %j it is said whether all differ', (list, isUnique) => {
  const [, ours] = ajvs()
  const isTyped = list.every((item) => typeof item !== 'object')
  const items = isTyped ? { type: ['string', 'number', 'boolean', 'null'] } : true
  expect(ours!.compile({ uniqueItems: true })(list)).toBe(isUnique)
  expect(ours!.compile({ uniqueItems: true, items })(list)).toBe(isUnique)
})

test('each item is read once, however many there are', () => {
  const [, ours] = ajvs()
  const validate = ours!.compile({ type: 'array', uniqueItems: true })
  let reads = 0
  const items = Array.from({ length: 1_000 }, (_unused, n) => ({
    get name() {
      reads += 1
      return n
    },
  }))
  expect(validate(items)).toBe(true)
  expect(reads).toBe(1_000)
})

test('a store refuses a list with duplicates, and says which they are', async () => {
  const schema = defineSchema({
    version: 1,
    tables: {
      item: {
        primaryKey: 'id',
        schema: {
          type: 'object',
          required: ['id'],
          properties: { id: { type: 'string' }, list: { type: 'array', uniqueItems: true } },
        },
      },
    },
  })
  const store = await createStore({ schema })
  const list = [{ a: 1, b: 2 }, 3, { b: 2, a: 1 }]
  expect(() => store.table('item').insert({ id: 'a', list })).toThrow('items ## 0 and 2 are identical')
  // Compared with each other, these would take minutes.
  store.table('item').insert({ id: 'b', list: Array.from({ length: 100_000 }, (_unused, a) => ({ a })) })
  expect(store.table('item').get('b')?.list).toHaveLength(100_000)
  await store.close()
})

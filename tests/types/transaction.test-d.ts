import { defineSchema, type Store } from 'rowcast'
import { expectTypeOf, test } from 'vitest'

const schema = defineSchema({
  version: 1,
  tables: {
    item: { primaryKey: 'id', schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
  },
})
declare const store: Store<(typeof schema)['definition']>

test('a transaction gives what its function returns, and takes no function that returns a promise', () => {
  expectTypeOf(store.transaction(() => 5)).toEqualTypeOf<number>()
  expectTypeOf(store.transaction((tx) => tx.onCommit(() => undefined))).toEqualTypeOf<void>()
  // @ts-expect-error an async function is refused
  store.transaction(async () => undefined)
  // @ts-expect-error a promise is refused
  store.transaction(() => Promise.resolve(5))
})

import { expect, test } from 'vitest'
import { createStore, defineSchema, ValidationError } from 'rowcast'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id', 'size'],
        properties: {
          id: { type: 'string' },
          size: { type: 'integer', default: 1 },
          list: { type: 'array', items: { type: 'string' } },
        },
      },
    },
  },
})

async function issuesOf(values: number, write: 'insert' | 'update'): Promise<number> {
  const store = await createStore({ schema })
  const items = store.table('item')
  items.insert({ id: 'a', list: [] })
  const list = Array.from({ length: values }, () => 1) as never
  try {
    if (write === 'insert') items.insert({ id: 'b', list })
    else items.update('a', { list })
    return 0
  } catch (error) {
    expect(error).toBeInstanceOf(ValidationError)
    return (error as ValidationError).issues.length
  } finally {
    await store.close()
  }
}

test.each(['insert', 'update'] as const)('of a row all errors are told by %s', async (write) => {
  expect(await issuesOf(5_000, write)).toBe(5_000)
})

// A message has room for millions of values: their errors took more than a server's memory.
test.each(['insert', 'update'] as const)('of a very large row the first error is told by %s', async (write) => {
  expect(await issuesOf(20_000, write)).toBe(1)
})

import { defineSchema } from 'rowcast'
import { createKysely, run } from 'rowcast/kysely'
import { createMemoryStore } from 'rowcast/testing'
import { expect, onTestFinished, test } from 'vitest'

/** Shapes of which it takes a look at the schema, not only at the row, to tell which columns they are. */
const schema = defineSchema({
  version: 1,
  tables: {
    odd: {
      primaryKey: ['id', 'at.year'],
      schema: {
        type: 'object',
        required: ['id', 'at'],
        additionalProperties: false,
        properties: {
          id: { type: 'string' },
          at: { type: 'object', required: ['year'], properties: { year: { type: 'integer' } } },
          single: { anyOf: [{ type: 'object', properties: { x: { type: 'number' } } }, { type: 'null' }] },
          merged: { allOf: [{ $ref: '#/$defs/place' }, { properties: { y: { type: 'string' } } }] },
          referred: { $ref: '#/$defs/place' },
          mixed: { enum: ['a', 1, true, null] },
          nullable: { type: ['object', 'null'], properties: { x: { type: 'number', default: 1 } } },
          eitherOf: {
            type: 'object',
            properties: { x: { type: 'number' }, y: { type: 'number' } },
            anyOf: [{ required: ['x'] }, { required: ['y'] }],
          },
          neither: { type: 'object', properties: { x: { type: 'number' } }, not: { required: ['x'] } },
          filled: { type: 'object', properties: { x: { type: 'number', default: 1 }, y: { type: 'string' } } },
          self: { $ref: '#' },
          closed: { type: 'object', additionalProperties: false },
          empty: { type: 'object', properties: {} },
          named: { type: 'object', patternProperties: { '^a': { type: 'number' } } },
        },
        $defs: { place: { type: 'object', properties: { x: { type: 'number' } } } },
      },
    },
  },
})

test('the columns of a table are the ones that its type names', async () => {
  const store = await createMemoryStore(schema, { odd: [{ id: 'a', at: { year: 1 } }] })
  onTestFinished(() => store.close())
  const db = createKysely(store)
  const row = run(store, db.selectFrom('odd').selectAll())[0]!
  // Compiles only if no name is missing and none is wrong.
  const expected: typeof row = {
    id: 'a',
    at_year: 1,
    single: null,
    single_x: null,
    merged: null,
    merged_x: null,
    merged_y: null,
    referred: null,
    referred_x: null,
    mixed: null,
    nullable: null,
    nullable_x: null,
    eitherOf: null,
    neither: null,
    filled_x: 1,
    filled_y: null,
    self: null,
    closed: null,
    empty: null,
    named: null,
    _rest: null,
  }
  expect(row).toEqual(expected)
})

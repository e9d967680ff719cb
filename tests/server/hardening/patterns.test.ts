import { defineSchema, SchemaError, type SchemaInput } from 'rowcast'
import { linearPatterns } from 'rowcast/server'
import { expect, test } from 'vitest'
import { openServer } from '../../support/sync-world.ts'
import { RawClient } from '../session/raw-client.ts'

/** A table of one more property, and more keywords, whose document can be anything. */
function documentOf(property: object, more: object = {}): SchemaInput {
  return {
    version: 1,
    tables: {
      item: {
        primaryKey: 'id',
        schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' }, value: property }, ...more },
      },
    },
  } as never
}

const evil = '^(a+)+$'
const long = `${'a'.repeat(5_000)}!`

test.each([
  ['pattern', documentOf({ type: 'string', pattern: evil }), { value: long }],
  ['pattern in a list', documentOf({ type: 'array', items: { type: 'string', pattern: evil } }), { value: [long] }],
  [
    'pattern behind a $ref',
    documentOf({ $ref: '#/$defs/name' }, { $defs: { name: { type: 'string', pattern: evil } } }),
    { value: long },
  ],
  [
    'patternProperties',
    documentOf({ type: 'object', patternProperties: { [evil]: true }, additionalProperties: false }),
    { value: { [long]: 1 } },
  ],
  ['propertyNames', documentOf({ type: 'object', propertyNames: { pattern: evil } }), { value: { [long]: 1 } }],
  ['format url', documentOf({ type: 'string', format: 'url' }), { value: `http://${':'.repeat(200_000)}` }],
])('a text for %s can not keep the server busy', async (_where, document, cells) => {
  const schema = defineSchema(document)
  const core = await openServer({ schema })
  const client = await RawClient.enter(core)
  const verdict = await client.commit([{ table: 'item', key: 'a', op: 'put', after: { id: 'a', ...cells } }])
  expect(verdict).toMatchObject({ type: 'refused', code: 'validation' })
  await core.close()
})

const ahead = '^(?=.*[0-9]).*$'

test.each([
  ['tables.item.schema.properties.value.pattern', documentOf({ type: 'string', pattern: ahead })],
  [
    'tables.item.schema.properties.value.items.anyOf.1.pattern',
    documentOf({ type: 'array', items: { anyOf: [{ type: 'null' }, { type: 'string', pattern: ahead }] } }),
  ],
  [
    `tables.item.schema.properties.value.patternProperties.${ahead}`,
    documentOf({ type: 'object', patternProperties: { [ahead]: true } }),
  ],
  [
    'tables.item.schema.properties.value.propertyNames.pattern',
    documentOf({ type: 'object', propertyNames: { pattern: ahead } }),
  ],
  [
    'tables.item.schema.$defs.x.not.pattern',
    documentOf({ type: 'string' }, { $defs: { x: { not: { pattern: ahead } } } }),
  ],
])('a pattern at %s that takes more than linear time is told at definition and start', async (path, document) => {
  const schema = defineSchema(document)
  const failure = expect.objectContaining({ path, message: expect.stringContaining('looks ahead') })
  await expect(openServer({ schema })).rejects.toThrow(SchemaError)
  await expect(openServer({ schema })).rejects.toThrow("patterns: 'native'")
  await expect(openServer({ schema })).rejects.toEqual(failure)
  expect(() => defineSchema(document, { patterns: linearPatterns })).toThrow(failure)
  const core = await openServer({ schema, patterns: 'native' })
  await core.close()
})

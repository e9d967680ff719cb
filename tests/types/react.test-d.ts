import type { Draft, RowOf, SchemaInput } from 'rowcast'
import { defineSchema } from 'rowcast'
import { createStoreContext } from 'rowcast/react'
import { test } from 'vitest'
import { type Equal, expectType } from '../support/expect-type.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    label: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          rank: { type: 'integer', default: 0 },
          note: { type: 'string' },
          font: { type: 'object', properties: { size: { type: 'number', default: 12 } } },
        },
      },
    },
    scene: { singleton: true, schema: { type: 'object', properties: { zoom: { type: 'number', default: 1 } } } },
  },
})
type S = typeof schema extends { readonly definition: infer D extends SchemaInput } ? D : never

const { useDraft, useField, useFieldProps, useRow, useRows, useTable, useValue, useValueField } =
  createStoreContext(schema)

test('rows, values and setters have the types of the schema', () => {
  const row = useRow('label', 'a')
  expectType<Equal<typeof row, RowOf<S, 'label'> | undefined>>()
  const rank = useRow('label', 'a', (label) => label.rank)
  expectType<Equal<typeof rank, number | undefined>>()
  useRow('label', undefined)
  useRow('label', null)
  const [size, setSize] = useField('label', 'a', 'font.size')
  expectType<Equal<typeof size, number | undefined>>()
  setSize(3)
  setSize((now) => (now ?? 0) + 1)
  const [note, setNote] = useField('label', 'a', ['note'])
  expectType<Equal<typeof note, string | undefined>>()
  setNote('x')
  const rows = useRows('label', { where: { rank: { gt: 1 } }, orderBy: '-rank' })
  expectType<Equal<typeof rows, readonly RowOf<S, 'label'>[]>>()
  const zoom = useValue('scene', (scene) => scene.zoom)
  expectType<Equal<typeof zoom, number | undefined>>()
  const draft = useDraft().draft
  expectType<Equal<typeof draft, Draft<S>>>()
})

test('a wrong table, key, path or value does not compile', () => {
  // @ts-expect-error no such table
  useRow('labels', 'a')
  // @ts-expect-error a singleton has no rows
  useRow('scene', 'a')
  // @ts-expect-error the key is a string
  useRow('label', 1)
  // @ts-expect-error no such path
  useField('label', 'a', 'font.sise')
  // @ts-expect-error these segments lead nowhere
  useField('label', 'a', ['font', 'sise'])
  // @ts-expect-error the value is a number
  useField('label', 'a', 'rank')[1]('x')
  // @ts-expect-error no such path
  useFieldProps('label', 'a', 'nothing')
  // @ts-expect-error no such path in the filter
  useRows('label', { where: { nothing: 1 } })
  // @ts-expect-error no such table
  useTable('scene')
  // @ts-expect-error no such path
  useValueField('scene', 'zoon')
})

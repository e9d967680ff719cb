import { defineSchema, SchemaError } from 'rowcast'
import { expect, test } from 'vitest'
import { createTableSql, openDatabase, quoteName, type Schema, type TableInput } from '../../src/schema/index.ts'
import { drivers, filled, readRows, schemaOf, table } from './migration-support.ts'

const properties = {
  owner: { type: 'string' },
  code: { type: 'string' },
  pay: { type: 'number', default: 5 },
  big: { type: 'integer', format: 'int64' },
  text: { type: 'object', properties: { note: { type: 'string' } } },
  font: { type: 'object', required: ['size'], properties: { size: { type: 'number', default: 1 } } },
  bag: { type: 'object' },
  list: { type: 'array' },
} as const

function restrict(restricted: unknown, more: Partial<TableInput> = {}): Schema {
  return schemaOf(1, { t: { ...table(properties), ...more, restricted: restricted as string[] } })
}

test('a table that restricts nothing is stored as it always was', () => {
  const sqlOf = (schema: Schema): string[] => createTableSql(schema.tables.get('t')!.model, new Map())
  expect(sqlOf(restrict([]))).toEqual(sqlOf(schemaOf(1, { t: table(properties) })))
})

test('restricted names one value, one array or one free-form object each', () => {
  const schema = restrict(['pay', 'text.note', 'font.size', 'bag', 'list', 'code'])
  expect(schema.tables.get('t')!.model.restricted.map(({ path }) => path)).toEqual([
    'pay',
    'text.note',
    'font.size',
    'bag',
    'list',
    'code',
  ])
})

test.each([
  [['text'], /'text' is an object of several properties: name its properties/],
  [['font'], /'font' is an object of several properties: name its properties/],
  [['id'], /primary key/],
  [['owner'], /reference/],
  [['code'], /unique/],
  [['big'], /64-bit/],
  [['nothing'], /'nothing' is not a property/],
  [['bag.inner'], /'bag.inner' is not a property/],
  [['pay', 'pay'], /twice/],
  ['pay', /array of property paths/],
] as const)('restricted %j is refused', (restricted, message) => {
  const more = { references: { owner: { table: 't' } }, unique: [['code']] }
  expect(() => restrict(restricted, more)).toThrow(SchemaError)
  expect(() => restrict(restricted, more)).toThrow(message)
  expect(() => restrict(restricted, more)).toThrow(/tables\.t\.restricted/)
})

test('a document that is plain JSON may restrict properties', () => {
  const document: unknown = JSON.parse(JSON.stringify(restrict(['pay']).definition))
  expect(defineSchema(document as never).tables.get('t')!.model.restricted).toHaveLength(1)
})

test.each(drivers)(
  'a migration takes what is hidden along as long as it may be hidden, on %s',
  async (_name, factory) => {
    const driver = await filled(factory, restrict(['pay', 'list', 'text.note']), {
      t: [
        { id: 'a', text: {} },
        { id: 'b', pay: 7 },
      ],
    })
    const hide = (column: string, mark: string): void =>
      driver.exec(`UPDATE ${quoteName('t__base')} SET ${column} = ${mark} WHERE id = 'a'`)
    hide('pay', "x'00'")
    hide('list', "'hidden'")
    hide('text_note', "x'00'")
    const shown = [
      { id: 'a', text: {}, font: { size: 1 } },
      { id: 'b', pay: 7, font: { size: 1 } },
    ]
    const { pay: _pay, ...others } = properties
    const renamed = schemaOf(2, {
      t: {
        ...table({ ...others, wage: { type: 'number', default: 9 } }),
        renames: { wage: 'pay' },
        restricted: ['wage', 'list', 'text.note'],
      },
    })
    expect(readRows(driver, restrict(['pay', 'list', 'text.note']))['t']).toEqual(shown)
    openDatabase(driver, renamed)
    expect(readRows(driver, renamed)['t']).toEqual([
      { id: 'a', text: {}, font: { size: 1 } },
      { id: 'b', wage: 7, font: { size: 1 } },
    ])
    const open = schemaOf(3, { t: table({ ...others, wage: { type: 'number', default: 9 } }) })
    openDatabase(driver, open)
    expect(readRows(driver, open)['t']).toEqual([
      { id: 'a', wage: 9, text: {}, font: { size: 1 } },
      { id: 'b', wage: 7, font: { size: 1 } },
    ])
    const again = schemaOf(4, {
      t: { ...table({ ...others, wage: { type: 'number', default: 9 } }), restricted: ['wage'] },
    })
    openDatabase(driver, again)
    expect(readRows(driver, again)['t']).toEqual(readRows(driver, open)['t'])
    driver.close()
  },
)

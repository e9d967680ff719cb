import { deepStrictEqual as same } from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import fc from 'fast-check'
import { createStore, defineSchema, ValidationError, type Schema, type SqliteDriverFactory, type Store } from 'rowcast'
import { expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'
import { arbitraryTable, filled, type Node } from './arbitrary-table.ts'

const addFormats = ((addFormatsModule as unknown as { default?: unknown }).default ?? addFormatsModule) as (
  ajv: Ajv2020,
) => Ajv2020

/** ajv on its own, with rowcast's mapping of binary and 64-bit values to JSON. */
function judge(schema: Node): (row: unknown) => boolean {
  const ajv = new Ajv2020({ strict: false, ownProperties: true, logger: false })
  addFormats(ajv)
  for (const format of ['int64']) ajv.addFormat(format, true)
  const validate = ajv.compile(schema)
  return (row) => validate(jsonForm(row))
}

function jsonForm(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(jsonForm)
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value))
    Object.defineProperty(copy, name, { value: jsonForm(member), enumerable: true })
  return copy
}

/** A schema and a store of one table, untyped: the schema is made at run time. */
const schemaOf = (node: Node): Schema =>
  defineSchema({ version: 1, tables: { t: { primaryKey: 'id', schema: node } } } as never) as Schema

interface Rows {
  get(key: string): unknown
  all(): unknown[]
  find(options: object): unknown[]
  insert(rows: unknown): unknown
  update(key: string, patch: unknown): void
  upsert(row: unknown): unknown
  set(key: string, path: readonly string[], value: unknown): void
  count(): number
}
const rowsOf = (store: Store): Rows => store.table('t' as never) as unknown as Rows
const open = (schema: Schema, driver: SqliteDriverFactory, data?: Uint8Array): Promise<Store> =>
  createStore({ schema, driver, data }) as Promise<Store>

describeEachDriver('whatever the schema', (driver) => {
  test(
    'what is inserted and accepted is what get, all and find return, also after export and reopening',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(arbitraryTable, async ({ schema: node, declared, rows }) => {
          const schema = schemaOf(node)
          const judged = judge(node)
          const expected = rows.map((row) => filled(declared, row))
          for (const row of expected) expect(judged(row)).toBe(true)
          const store = await open(schema, driver())
          const table = rowsOf(store)
          table.insert(rows)
          for (const row of expected) same(table.get(row['id'] as string), row)
          same(table.all(), expected)
          same(table.find({ where: { id: 'k0' } }), [expected[0]])
          const again = await open(schema, driver(), store.export())
          same(rowsOf(again).all(), expected)
          await again.close()
          await store.close()
        }),
        { numRuns: 150 },
      )
    },
  )

  test('a row given in pieces, by upsert or by set, is the row given whole', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryTable, async ({ schema: node, declared, rows }) => {
        const store = await open(schemaOf(node), driver())
        const table = rowsOf(store)
        table.insert({ ...rows[0], id: 'x' })
        for (const row of rows) {
          const expected = filled(declared, { ...row, id: 'x' })
          table.upsert({ ...row, id: 'x' })
          same(table.get('x'), expected)
          // Each part again, alone: nothing changes.
          for (const [name, value] of Object.entries(row)) {
            if (name === 'id') continue
            table.set('x', [name], value)
            same(table.get('x'), expected)
          }
          table.update('x', () => expected)
          same(table.get('x'), expected)
        }
        await store.close()
      }),
      { numRuns: 100 },
    )
  })

  test(
    'what ajv refuses is refused with its table, key, path and keyword, and nothing changes; the rest is accepted',
    { timeout: 120_000 },
    async () => {
      let refusals = 0
      await fc.assert(
        fc.asyncProperty(arbitraryTable, async ({ schema: node, declared, rows, patches }) => {
          const judged = judge(node)
          const store = await open(schemaOf(node), driver())
          const table = rowsOf(store)
          table.insert(rows)
          const heard: unknown[] = []
          store.changes$.subscribe((set) => heard.push(set))
          for (const patch of patches) {
            const [name, value] = Object.entries(patch)[0]!
            const wanted = filled(declared, { ...rows[0], [name]: value })
            const before = table.all()
            heard.length = 0
            const valid = judged(wanted)
            let error: unknown
            try {
              table.upsert({ ...rows[0], [name]: value })
            } catch (thrown) {
              error = thrown
            }
            if (error === undefined) {
              expect(valid).toBe(true)
              same(table.get('k0'), wanted)
              continue
            }
            refusals++
            expect(error).toBeInstanceOf(ValidationError)
            for (const issue of (error as ValidationError).issues) {
              expect(issue).toMatchObject({ table: 't', key: 'k0' })
              expect(issue.keyword).not.toBe('')
            }
            // More than ajv refuses only what has no place in SQLite: large integers, and values that are no JSON.
            if (valid)
              expect(
                (error as ValidationError).issues.every((issue) =>
                  ['type', 'format', 'contentEncoding'].includes(issue.keyword),
                ),
              ).toBe(true)
            same(table.all(), before)
            expect(heard).toEqual([])
          }
          await store.close()
        }),
        { numRuns: 150 },
      )
      expect(refusals).toBeGreaterThan(20)
    },
  )
})

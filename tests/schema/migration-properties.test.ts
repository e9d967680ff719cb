import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MigrationError } from '../../src/errors/index.ts'
import { openDatabase, type JsonSchemaObject, type RowObject, type TableInput } from '../../src/schema/index.ts'
import { dumpDatabase } from '../support/dump-database.ts'
import { drivers, filled, readRows, schemaOf } from './migration-support.ts'

/** A property before and after; `undefined` where it is not there. */
interface Change {
  readonly name: string
  readonly inner: boolean
  readonly before: Property | undefined
  readonly after: Property | undefined
  readonly renamed: boolean
}

interface Property {
  readonly nullable: boolean
  readonly hasDefault: boolean
  readonly defaultValue: number
  readonly maximum: number
}

type Values = Record<string, number | null>

const property = fc.record({
  nullable: fc.boolean(),
  hasDefault: fc.boolean(),
  defaultValue: fc.integer({ min: 0, max: 3 }),
  maximum: fc.constantFrom(3, 9, 9, 9),
})

const changes = fc
  .array(
    fc.record({
      inner: fc.boolean(),
      before: fc.option(property, { nil: undefined }),
      after: fc.option(property, { nil: undefined }),
      renamed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((list) => list.map((change, index): Change => ({ ...change, name: `p${index}` })))

const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom(null, undefined)), {
  minLength: 6,
  maxLength: 6,
})
const rows = fc.array(fc.record({ values, hasInner: fc.boolean() }), { maxLength: 4 })

function newName({ name, renamed, before }: Change): string {
  return renamed && before ? `${name}_new` : name
}

function propertySchema({ nullable, hasDefault, defaultValue, maximum }: Property): JsonSchemaObject {
  return { type: nullable ? ['integer', 'null'] : 'integer', maximum, ...(hasDefault ? { default: defaultValue } : {}) }
}

function tableOf(list: readonly Change[], side: 'before' | 'after', strict: boolean): TableInput {
  const closed = strict ? { additionalProperties: false } : {}
  const within = (inner: boolean): Record<string, JsonSchemaObject> =>
    Object.fromEntries(
      list.flatMap((change) => {
        const one = change[side]
        return one && change.inner === inner
          ? [[side === 'after' ? newName(change) : change.name, propertySchema(one)]]
          : []
      }),
    )
  const renames = list.filter((change) => change.renamed && change.before && change.after)
  return {
    primaryKey: 'id',
    schema: {
      type: 'object',
      required: ['id'],
      properties: {
        id: { type: 'integer' },
        o: { type: 'object', required: ['tag'], properties: { tag: { type: 'string' }, ...within(true) }, ...closed },
        ...within(false),
      },
      ...closed,
    },
    ...(side === 'after'
      ? {
          renames: Object.fromEntries(
            renames.map((change) => [
              `${change.inner ? 'o.' : ''}${newName(change)}`,
              `${change.inner ? 'o.' : ''}${change.name}`,
            ]),
          ),
        }
      : {}),
  }
}

/** A row as inserted under the old schema. */
function rowOf(
  list: readonly Change[],
  id: number,
  { values: given, hasInner }: { values: readonly (number | null | undefined)[]; hasInner: boolean },
): RowObject {
  const pick = (inner: boolean): Values =>
    Object.fromEntries(
      list.flatMap((change, index) => {
        const value = given[index]
        const { before } = change
        if (!before || change.inner !== inner || value === undefined || (value === null && !before.nullable)) return []
        return [[change.name, value === null ? null : Math.min(value, before.maximum)]]
      }),
    )
  return { id, ...(hasInner ? { o: { tag: 't', ...pick(true) } } : {}), ...pick(false) }
}

/** What the new schema shows for a row, or `undefined` where it refuses it. */
function expected(list: readonly Change[], row: RowObject, strict: boolean): RowObject | undefined {
  let isRefused = false
  const move = (inner: boolean, given: Values): Values => {
    const result: Values = {}
    for (const change of list) {
      if (change.inner !== inner) continue
      const { before, after } = change
      let value = before ? given[change.name] : undefined
      if (before?.hasDefault && (value === undefined || value === before.defaultValue))
        value = after && !after.hasDefault ? before.defaultValue : undefined
      if (!after) {
        if (value === undefined) continue
        if (strict) isRefused = true
        result[change.name] = value
        continue
      }
      if (value === undefined && after.hasDefault) value = after.defaultValue
      if (value === undefined) continue
      if (value === null ? !after.nullable : value > after.maximum) isRefused = true
      result[newName(change)] = value
    }
    return result
  }
  const { id, o, ...outer } = row
  const moved = {
    id,
    ...(o === undefined ? {} : { o: { tag: 't', ...move(true, o as Values) } }),
    ...move(false, outer as Values),
  }
  return isRefused ? undefined : moved
}

function isValid(list: readonly Change[]): boolean {
  return list.every(({ before, after }) =>
    [before, after].every((one) => !one || !one.hasDefault || one.defaultValue <= one.maximum),
  )
}

describe.each(drivers)('on %s', (_name, factory) => {
  it('a migration gives exactly the rows that the change of schema means, or refuses them and changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(changes.filter(isValid), rows, fc.boolean(), async (list, drafts, strict) => {
        const before = schemaOf(1, { pin: tableOf(list, 'before', false) })
        const after = schemaOf(2, { pin: tableOf(list, 'after', strict) })
        const given = drafts.map((draft, id) => rowOf(list, id, draft))
        const wanted = given.map((row) => expected(list, row, strict))
        const driver = await filled(factory, before, { pin: given })
        const dump = dumpDatabase(driver)
        try {
          if (wanted.includes(undefined)) {
            let thrown: unknown
            try {
              openDatabase(driver, after)
            } catch (error) {
              thrown = error
            }
            expect(thrown).toBeInstanceOf(MigrationError)
            const refusedKeys = new Set((thrown as MigrationError).issues.map((issue) => issue.key))
            expect(refusedKeys).toEqual(new Set(wanted.flatMap((row, id) => (row ? [] : [id]))))
            expect(dumpDatabase(driver)).toEqual(dump)
          } else {
            openDatabase(driver, after)
            expect(readRows(driver, after)['pin']).toEqual(wanted)
          }
        } finally {
          driver.close()
        }
      }),
      { numRuns: 200 },
    )
  }, 60_000)
})

import type { SchemaInput, Store, Table } from 'rowcast'

/** A property of the annotations: where it lies, and its column. */
export interface Leaf {
  readonly group: string
  readonly name: string
  readonly path: string
  readonly column: string
}

/** 9 groups of 11 properties each; with the key, 100 attributes. */
const groups = ['icon', 'text', 'leader', 'shape', 'glow', 'shadow', 'scale', 'fade', 'link']
export const leaves: readonly Leaf[] = groups.flatMap((group) =>
  Array.from({ length: 11 }, (_, index) => {
    const name = `p${index}`
    return { group, name, path: `${group}.${name}`, column: `${group}_${name}` }
  }),
)

/** What a row sets; the others stay at their defaults. */
const given = leaves.filter((_, index) => index % 9 === 0).slice(0, 10)
export const givenColumns: readonly string[] = given.map(({ column }) => column)

/** The property that the slider moves: one that each row sets. */
export const moved: Leaf = { group: 'icon', name: 'p0', path: 'icon.p0', column: 'icon_p0' }

/** The property that live queries filter by: another that each row sets. */
export const filtered: Leaf = given[1]!

/** The property that live queries elsewhere are ordered by: one more that each row sets. */
export const ranked: Leaf = given[2]!

/** The annotations, as a schema document. */
export const schemaInput: SchemaInput = schemaOf(leaves)

/** The same with just the ten properties that each row sets. */
export const narrowSchemaInput: SchemaInput = schemaOf(given)

function schemaOf(columns: readonly Leaf[]): SchemaInput {
  return {
    version: 1,
    tables: {
      annotation: {
        primaryKey: 'id',
        schema: {
          type: 'object',
          required: ['id'],
          additionalProperties: false,
          properties: {
            id: { type: 'string', minLength: 1 },
            ...Object.fromEntries(
              [...new Set(columns.map(({ group }) => group))].map((group) => [
                group,
                {
                  type: 'object',
                  additionalProperties: false,
                  properties: Object.fromEntries(
                    columns
                      .filter((leaf) => leaf.group === group)
                      .map(({ name }) => [name, { type: 'number', minimum: 0, maximum: 1_000_000, default: 1 }]),
                  ),
                },
              ]),
            ),
          },
        },
      },
    },
  }
}

export type BenchRow = { readonly id: string } & Readonly<Record<string, unknown>>

export const keyOf = (index: number): string => `a${index}`

/** Values of the given columns of a row. */
export function valuesOf(index: number): number[] {
  return given.map((_, column) => 2 + ((index * 7 + column) % 100))
}

export function rowOf(index: number): BenchRow {
  const values = valuesOf(index)
  const row: Record<string, Record<string, unknown>> = {}
  for (const [column, { group, name }] of given.entries()) (row[group] ??= {})[name] = values[column]
  return { ...row, id: keyOf(index) }
}

/**
 * The row with each attribute that it leaves out at its default: what a store without a schema has to be given.
 *
 * @public the peers, in a package of their own, import it
 */
export function wholeRow(row: BenchRow): BenchRow {
  const whole: Record<string, Record<string, unknown>> = {}
  for (const { group, name } of leaves) (whole[group] ??= {})[name] = 1
  for (const group of groups) Object.assign(whole[group]!, row[group])
  return { ...whole, id: row.id }
}

export function annotations(store: Pick<Store, 'table'>): Table<SchemaInput, 'annotation'> {
  return store.table('annotation')
}

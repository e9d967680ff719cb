import type { Schema, TableSchema } from '../define-schema.ts'
import { createBaseSql } from '../model/ddl.ts'
import type { TableModel } from '../model/table-model.ts'
import { canonicalRows, canonicalTable } from './canonical.ts'
import { movesBetween, type Move } from './move-properties.ts'

/** What becomes of one table of the new schema. */
export interface TableStep {
  readonly table: TableSchema
  /** The table that its rows come from; `undefined` for a new one. */
  readonly before: TableSchema | undefined
  /**
   * - `create`: a new table;
   * - `keep`: nothing is touched;
   * - `copy`: stored anew as it is, for other indexes or because a table that it refers to is stored anew;
   * - `rewrite`: each row is read under the old schema and written and checked under the new one.
   */
  readonly action: 'create' | 'keep' | 'copy' | 'rewrite'
  /** The declared renames that apply. */
  readonly moves: readonly Move[]
}

/** The computed step between two schemas. */
export interface MigrationPlan {
  readonly steps: readonly TableStep[]
  /** Tables of the old schema that the new one has not. */
  readonly dropped: readonly TableSchema[]
}

/**
 * The step from the schema that a database was made with to the new one. With `copyAll` no table is kept in place, so
 * that functions find the old ones beside the new. Throws MigrationError for a rename that can't be applied.
 */
export function planMigration(before: Schema, after: Schema, options: { copyAll: boolean }): MigrationPlan {
  const steps = [...after.tables.values()].map((table) => planTable(table, before, after, options.copyAll))
  const sources = new Set(steps.map((step) => step.before))
  const dropped = [...before.tables.values()].filter((table) => !sources.has(table))
  return { steps: withReferring(steps), dropped }
}

function planTable(table: TableSchema, before: Schema, after: Schema, copyAll: boolean): TableStep {
  const { name } = table.model
  const input = after.definition.tables[name]!
  const former = [input.renamedFrom ?? []].flat().find((one) => before.tables.has(one))
  const source = before.tables.get(name) ?? (former === undefined ? undefined : before.tables.get(former))
  if (!source) return { table, before: undefined, action: 'create', moves: [] }
  const moves = movesBetween(source.model, table.model, input)
  const old = before.definition.tables[source.model.name]!
  const sameBase = createBaseSql(source.model, models(before)) === createBaseSql(table.model, models(after))
  const action =
    !sameBase || canonicalRows(old) !== canonicalRows(input)
      ? 'rewrite'
      : copyAll || canonicalTable(old) !== canonicalTable(input)
        ? 'copy'
        : 'keep'
  return { table, before: source, action, moves }
}

/** While a table is stored anew the references to it follow the old one, so what refers to it is stored anew as well. */
function withReferring(steps: readonly TableStep[]): TableStep[] {
  const result = [...steps]
  for (let changed = true; changed;) {
    changed = false
    const moved = new Set(result.filter((step) => step.action !== 'keep').map((step) => step.before?.model.name))
    for (const [index, step] of result.entries()) {
      if (step.action !== 'keep' || !step.table.model.references.some((reference) => moved.has(reference.table)))
        continue
      result[index] = { ...step, action: 'copy' }
      changed = true
    }
  }
  return result
}

/** The models of a schema by table name. */
export function models(schema: Schema): ReadonlyMap<string, TableModel> {
  return new Map([...schema.tables].map(([name, table]) => [name, table.model]))
}

import type { SqliteDriver } from '../../drivers/index.ts'
import { MigrationError } from '../../errors/index.ts'
import { defineSchema, type Schema } from '../define-schema.ts'
import { createAroundSql, createBaseSql } from '../model/ddl.ts'
import { quoteName } from '../model/sql-text.ts'
import type { RefusedRow, SchemaInput } from '../types/index.ts'
import { checkRows, copyRows, rewriteRows } from './carry-over.ts'
import { checkReferences } from './check-references.ts'
import { insertSingleton } from './create-database.ts'
import { select, writeMetadata, type Metadata } from './metadata.ts'
import { MigrationRun } from './migration-run.ts'
import { dropOldTables, hideOldTables, setAside, showOldTables } from './old-tables.ts'
import { models, planMigration, type MigrationPlan } from './plan.ts'
import { Report } from './report.ts'
import { inTransaction } from './transaction.ts'

type Migrate = Schema['migrations'][number]

/**
 * Brings a database from the schema in its metadata to a newer one, in one transaction. Throws MigrationError, with what
 * the new schema refuses, or what a function of the schema threw; the database is then as it was.
 */
export function migrate(driver: SqliteDriver, metadata: Metadata, schema: Schema): void {
  const before = parseOld(metadata, schema)
  const functions = functionsBetween(schema, metadata.schemaVersion)
  const plan = planMigration(before, schema, { copyAll: functions.length > 0 })
  inTransaction(driver, () => {
    const aside = [
      ...plan.steps.flatMap((step) => (step.action !== 'keep' && step.before ? [step.before] : [])),
      ...plan.dropped,
    ].map((table) => table.model)
    if (functions.length === 0) assertEmpty(driver, plan, metadata.schemaVersion, schema.version)
    setAside(driver, aside)
    const refused = fillTables(driver, plan, schema)
    const report = new Report()
    if (functions.length > 0) {
      showOldTables(driver, aside)
      const run = new MigrationRun(driver, metadata.schemaVersion, schema, refused)
      for (const migration of functions) call(migration, run)
      hideOldTables(driver, aside)
      for (const row of run.unresolved()) report.add(row.issues)
      for (const table of schema.tables.values()) insertSingleton(driver, table)
      for (const table of schema.tables.values()) checkRows(driver, table, (issues) => report.add(issues))
    } else for (const row of refused) report.add(row.issues)
    report.throwIfAny(metadata.schemaVersion, schema.version)
    dropOldTables(driver, aside)
    checkReferences(driver, schema, report)
    report.throwIfAny(metadata.schemaVersion, schema.version)
    writeMetadata(driver, schema)
  })
}

function fillTables(driver: SqliteDriver, plan: MigrationPlan, schema: Schema): RefusedRow[] {
  const byName = models(schema)
  const steps = plan.steps.filter((step) => step.action !== 'keep')
  const refused: RefusedRow[] = []
  for (const { table } of steps) driver.exec(createBaseSql(table.model, byName))
  // The indexes before the rows: a deferred foreign key looks in them for each row.
  for (const { table } of steps) for (const sql of createAroundSql(table.model)) driver.exec(sql)
  for (const step of steps) {
    if (step.action === 'copy') copyRows(driver, step)
    else if (step.action === 'rewrite') rewriteRows(driver, step, (row) => refused.push(row))
    if (!refused.some((row) => row.table === step.table.model.name)) insertSingleton(driver, step.table)
  }
  return refused
}

function assertEmpty(driver: SqliteDriver, plan: MigrationPlan, from: number, to: number): void {
  for (const { model } of plan.dropped) {
    const rows = Number(select(driver, `SELECT count(*) FROM ${quoteName(model.base)}`)[0]?.[0])
    if (rows === 0) continue
    throw new MigrationError(
      `migration from version ${from} to ${to}: table '${model.name}' has ${rows} ${rows === 1 ? 'row' : 'rows'} and is no longer in the schema. ` +
        `Nothing was changed: if it has a new name, give the new table "renamedFrom": "${model.name}"; if its rows shall go, add a function in migrations[${to}]`,
    )
  }
}

/** An async function would go on after the transaction. */
function call(migration: Migrate, run: MigrationRun): void {
  const returned: unknown = migration(run)
  if (typeof returned === 'object' && returned !== null && 'then' in returned)
    throw new MigrationError('a migration function must be synchronous: it returned a promise')
}

/** The schema's functions that bring a database of an older version to its own, in their order. */
export function functionsBetween(schema: Schema, from: number): Migrate[] {
  return Object.entries(schema.migrations)
    .map(([version, migration]) => ({ version: Number(version), migration }))
    .filter(({ version }) => version > from)
    .toSorted((a, b) => a.version - b.version)
    .map(({ migration }) => migration)
}

function parseOld(metadata: Metadata, schema: Schema): Schema {
  try {
    return defineSchema<SchemaInput>(metadata.definition)
  } catch (error) {
    throw new MigrationError(
      `migration from version ${metadata.schemaVersion} to ${schema.version}: the schema stored in the database can't be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
}

import type { SqliteDriver } from '../../drivers/index.ts'
import { MigrationError, ReadOnlyError, SqlError, VersionError } from '../../errors/index.ts'
import type { Schema } from '../define-schema.ts'
import { canonicalDocument } from './canonical.ts'
import { readMetadata, select } from './metadata.ts'
import { migrate } from './migrate.ts'

/** What opening a database found. */
export interface OpenedDatabase {
  /** The schema version that it was migrated from; `undefined` if it was up to date. */
  readonly migratedFrom: number | undefined
}

/**
 * Makes a database that was opened on a file ready for a schema: checks that it is one of rowcast's, and migrates it if
 * it is older. With `readOnly` an older one is migrated only where that is a copy in memory.
 *
 * Throws `SqlError` where it is no database of rowcast, or a damaged one, `VersionError` where it is newer than the
 * schema, `MigrationError` where it can't be migrated, or has another schema of the same version, `ReadOnlyError` where
 * it is an older file and `readOnly`. The database is then as it was.
 */
export function openDatabase(
  driver: SqliteDriver,
  schema: Schema,
  options: { readOnly?: boolean } = {},
): OpenedDatabase {
  const metadata = readMetadata(driver)
  if (!metadata)
    throw new SqlError(
      'not a rowcast database: it has no rowcast_meta table: open a file that rowcast has made, or read another with attach',
    )
  const { schemaVersion } = metadata
  if (schemaVersion > schema.version) throw new VersionError(schemaVersion, schema.version)
  assertTables(driver, Object.keys(metadata.definition.tables))
  if (schemaVersion < schema.version) {
    if (options.readOnly === true && driver.durable)
      throw new ReadOnlyError(
        `the database file (schema version ${schemaVersion}, to be migrated to ${schema.version})`,
      )
    migrate(driver, metadata, schema)
    return { migratedFrom: schemaVersion }
  }
  if (canonicalDocument(metadata.definition) !== canonicalDocument(schema.definition))
    throw new MigrationError(
      `the database was made with another schema of the same version ${schemaVersion}: raise "version" with every change of the tables, so that it is migrated; while developing, forget(persistence) of rowcast/persist removes what is kept locally`,
    )
  return { migratedFrom: undefined }
}

function assertTables(driver: SqliteDriver, tables: readonly string[]): void {
  const found = new Set(
    select(driver, "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')").map(([name]) => name),
  )
  for (const table of tables) {
    if (!found.has(table) || !found.has(`${table}__base`))
      throw new SqlError(`the database is damaged: its table '${table}' is missing: use another copy`)
    // A view, a virtual table or a computed column would run whatever the maker of the file wants.
    const [kind] = select(driver, "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ?", [
      `${table}__base`,
    ])
    const computed = select(driver, 'SELECT 1 FROM pragma_table_xinfo(?) WHERE hidden <> 0', [`${table}__base`])
    if (kind?.[0] !== 'table' || computed.length > 0)
      throw new SqlError(`the database is damaged: its table '${table}' is not one that rowcast made: use another copy`)
  }
}

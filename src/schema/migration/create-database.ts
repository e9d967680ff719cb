import type { SqliteDriver } from '../../drivers/index.ts'
import type { Schema, TableSchema } from '../define-schema.ts'
import { createTableSql } from '../model/ddl.ts'
import { quoteName } from '../model/sql-text.ts'
import { createMetadataSql, select, writeMetadata } from './metadata.ts'
import { models } from './plan.ts'
import { inTransaction } from './transaction.ts'
import { RowInserter } from './write-row.ts'

/**
 * Makes the tables of a schema in an empty database, with the metadata and the row of each singleton that its defaults
 * alone make valid. All or nothing. Throws `SqlError` where the database has such tables already.
 */
export function createDatabase(driver: SqliteDriver, schema: Schema): void {
  inTransaction(driver, () => {
    const byName = models(schema)
    for (const table of byName.values()) for (const sql of createTableSql(table, byName)) driver.exec(sql)
    for (const table of schema.tables.values()) insertSingleton(driver, table)
    driver.exec(createMetadataSql())
    writeMetadata(driver, schema)
  })
}

/** The row of a singleton, if `{}` is a valid one and it is not there yet. */
export function insertSingleton(driver: SqliteDriver, table: TableSchema): void {
  if (!table.model.singleton || select(driver, `SELECT 1 FROM ${quoteName(table.model.base)}`).length > 0) return
  const inserter = new RowInserter(driver, table)
  try {
    inserter.insert({})
  } finally {
    inserter.close()
  }
}

import type { SqliteDriver } from '../../drivers/index.ts'
import { effectiveSql } from '../model/column-sql.ts'
import { quoteName } from '../model/sql-text.ts'
import type { TableModel } from '../model/table-model.ts'
import { select } from './metadata.ts'

/** The name of an old base table while the new one is filled. The prefix is reserved: no table of a schema has it. */
export function oldBase(table: TableModel): string {
  return `rowcast_old_${table.name}`
}

/**
 * Sets old base tables aside and removes the views, triggers and indexes around them, so that their names are free. In
 * this order: SQLite refuses to rename a table while a view in the file, whosoever, leads nowhere.
 */
export function setAside(driver: SqliteDriver, tables: readonly TableModel[]): void {
  for (const table of tables) driver.exec(`ALTER TABLE ${quoteName(table.base)} RENAME TO ${quoteName(oldBase(table))}`)
  for (const table of tables) {
    driver.exec(`DROP VIEW IF EXISTS ${quoteName(table.name)}`)
    const indexes = select(
      driver,
      "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
      [oldBase(table)],
    )
    for (const [name] of indexes) driver.exec(`DROP INDEX ${quoteName(String(name))}`)
  }
}

/** Lets SQL read the old tables as `old_<table>`, in TEMP, with their effective values. */
export function showOldTables(driver: SqliteDriver, tables: readonly TableModel[]): void {
  for (const table of tables) {
    const columns = table.columns.filter((column) => !(table.singleton && column === table.key[0]))
    const shown = columns.map((column) => `${effectiveSql(column)} AS ${quoteName(column.name)}`)
    driver.exec(
      `CREATE TEMP VIEW ${quoteName(`old_${table.name}`)} AS SELECT ${shown.join(', ') || 'NULL AS "_"'} FROM main.${quoteName(oldBase(table))}`,
    )
  }
}

export function hideOldTables(driver: SqliteDriver, tables: readonly TableModel[]): void {
  for (const table of tables) driver.exec(`DROP VIEW temp.${quoteName(`old_${table.name}`)}`)
}

/**
 * Removes the tables that were set aside. Foreign keys hold within a transaction, whatever is asked, so they are emptied
 * first, the referring ones before those that they refer to.
 */
export function dropOldTables(driver: SqliteDriver, tables: readonly TableModel[]): void {
  const order = referringFirst(tables)
  for (const [position, table] of order.entries())
    for (const [n, reference] of table.references.entries()) {
      const parent = order.findIndex((one) => one.name === reference.table)
      // It is emptied no later: SQLite looks here for each row that it deletes there.
      if (parent !== -1 && parent <= position)
        driver.exec(
          `CREATE INDEX ${quoteName(`${oldBase(table)}__${n}`)} ON ${quoteName(oldBase(table))} (${reference.columns.map((column) => quoteName(column.name)).join(', ')})`,
        )
    }
  for (const table of order) driver.exec(`DELETE FROM ${quoteName(oldBase(table))}`)
  for (const table of order) driver.exec(`DROP TABLE ${quoteName(oldBase(table))}`)
}

function referringFirst(tables: readonly TableModel[]): TableModel[] {
  const left = new Set(tables)
  const order: TableModel[] = []
  while (left.size > 0) {
    const isReferredTo = (table: TableModel): boolean =>
      [...left].some((other) => other !== table && other.references.some((reference) => reference.table === table.name))
    const next = [...left].find((table) => !isReferredTo(table)) ?? [...left][0]!
    left.delete(next)
    order.push(next)
  }
  return order
}

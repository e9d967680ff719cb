import type { SqliteDriver } from '../../drivers/index.ts'
import type { Schema } from '../define-schema.ts'
import { quoteName } from '../model/sql-text.ts'
import { select } from './metadata.ts'
import type { Report } from './report.ts'

/** Reports every row that refers to one that isn't there. */
export function checkReferences(driver: SqliteDriver, schema: Schema, report: Report): void {
  for (const { model } of schema.tables.values()) {
    if (model.references.length === 0) continue
    for (const [, rowid, parent, id] of select(driver, `PRAGMA main.foreign_key_check(${quoteName(model.base)})`)) {
      const names = select(driver, 'SELECT "from" FROM pragma_foreign_key_list(?) WHERE id = ? ORDER BY seq', [
        model.base,
        id ?? null,
      ]).map(([name]) => name)
      const keyColumns = model.key.map((column) => quoteName(column.name)).join(', ')
      const key =
        select(driver, `SELECT ${keyColumns} FROM ${quoteName(model.base)} WHERE rowid = ?`, [rowid ?? null])[0] ?? []
      const path = model.columns
        .filter((column) => names.includes(column.name))
        .map((column) => column.path)
        .join(', ')
      const target = String(parent).replace(/__base$/, '')
      report.add([
        {
          table: model.name,
          key: model.singleton ? undefined : key.length === 1 ? key[0] : key,
          path,
          keyword: 'references',
          message: `refers to a row of '${target}' that isn't there`,
        },
      ])
    }
  }
}

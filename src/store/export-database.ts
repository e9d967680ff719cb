import { quoteName } from '../schema/index.ts'
import type { SqliteDriver, SqlValue } from '../drivers/index.ts'
import type { Engine } from './engine.ts'
import { underneath } from './layers/committed-rows.ts'
import type { RowStack } from './layers/row-stack.ts'

/** The database as a file, without what is only in open drafts: those are taken out of a copy. */
export function exportCommitted(engine: Engine): Uint8Array {
  const bytes = engine.serialize()
  const covered = engine.layers.all()
  if (covered.length === 0) return bytes
  const copy = engine.driver.openMemory(bytes)
  try {
    copy.exec('PRAGMA foreign_keys = OFF')
    copy.exec('BEGIN')
    // First everything that drafts touched goes, so that no order of unique values is in the way.
    for (const stack of covered) remove(copy, stack)
    for (const stack of covered) if (stack.committed) put(copy, stack)
    copy.exec('COMMIT')
    return copy.serialize()
  } finally {
    copy.close()
  }
}

function remove(copy: SqliteDriver, { rows, key }: RowStack): void {
  const where = rows.schema.model.key.map((column) => `${quoteName(column.name)} = ?`).join(' AND ')
  run(copy, `DELETE FROM ${rows.base} WHERE ${where}`, rows.keyParameters(key))
}

function put(copy: SqliteDriver, stack: RowStack): void {
  const { rows } = stack
  const stored = underneath(stack, (cell) => stack.cells.get(cell)?.committed)
  const columns = rows.schema.model.columns.filter((column) => stored[column.index] !== null)
  run(
    copy,
    `INSERT INTO ${rows.base} (${columns.map((column) => quoteName(column.name)).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    columns.map((column) => stored[column.index]!),
  )
}

function run(copy: SqliteDriver, sql: string, parameters: readonly SqlValue[]): void {
  const statement = copy.prepare(sql)
  try {
    statement.run(parameters)
  } finally {
    statement.finalize()
  }
}

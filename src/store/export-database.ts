import type { Key, KeyId } from '../changes/index.ts'
import { quoteName } from '../schema/index.ts'
import type { SqliteDriver, SqlValue } from '../drivers/index.ts'
import type { Engine } from './engine.ts'
import { committedRow } from './layers/committed-rows.ts'
import type { PendingLayers } from './layers/pending-layers.ts'
import type { TableRows } from './rows/table-rows.ts'

/**
 * The database as a file, without what is only in open drafts: those are taken out of a copy; and with `pending` without
 * what the server has not confirmed.
 */
export function exportCommitted(engine: Engine, pending?: PendingLayers): Uint8Array {
  const bytes = engine.serialize()
  const covered = new Map<TableRows, Map<KeyId, Key>>(engine.rows.map((rows) => [rows, new Map()]))
  for (const stack of engine.layers.all()) covered.get(stack.rows)!.set(stack.id, stack.key)
  for (const rows of engine.rows)
    for (const stack of pending?.stacksOf(rows) ?? []) covered.get(rows)!.set(stack.id, stack.key)
  if ([...covered.values()].every((rows) => rows.size === 0)) return bytes
  const copy = engine.driver.openMemory(bytes)
  try {
    copy.exec('PRAGMA foreign_keys = OFF')
    copy.exec('BEGIN')
    // First everything that was touched goes, so that no order of unique values is in the way.
    for (const [rows, keys] of covered) for (const key of keys.values()) remove(copy, rows, key)
    for (const [rows, keys] of covered)
      for (const [id, key] of keys) {
        const stored = pending ? pending.baseOf(rows, key) : committedAt(engine, rows, id)
        if (stored) put(copy, rows, stored)
      }
    copy.exec('COMMIT')
    return copy.serialize()
  } finally {
    copy.close()
  }
}

function committedAt(engine: Engine, rows: TableRows, id: KeyId): readonly SqlValue[] | undefined {
  const stack = engine.layers.get(rows, id)!
  return stack.committed ? committedRow(stack) : undefined
}

function remove(copy: SqliteDriver, rows: TableRows, key: Key): void {
  const where = rows.schema.model.key.map((column) => `${quoteName(column.name)} = ?`).join(' AND ')
  run(copy, `DELETE FROM ${rows.base} WHERE ${where}`, rows.keyParameters(key))
}

function put(copy: SqliteDriver, rows: TableRows, stored: readonly SqlValue[]): void {
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

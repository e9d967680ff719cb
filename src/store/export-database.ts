import type { Key, KeyId } from '../changes/index.ts'
import { quoteName } from '../schema/index.ts'
import type { SqliteDriver, SqlValue } from '../drivers/index.ts'
import type { Engine } from './engine.ts'
import { committedRow } from './layers/committed-rows.ts'
import type { PendingLayers } from './layers/pending-layers.ts'
import type { TableRows } from './rows/table-rows.ts'

/** The part of a file that may lie idle: with more, it is written anew. */
const MOST_FREE = 0.25

/**
 * The database as a file that may leave: what SQL shows of the committed state, and nothing else. SQLite leaves the bytes
 * of what was deleted, overwritten or taken back where they were, until another row needs the place.
 */
export function exportCommitted(engine: Engine): Uint8Array<ArrayBuffer> {
  const bytes = toFile(engine, undefined, () => true)
  // A driver may keep its memory where threads share it: what takes a file (Blob, fetch) does not.
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}

/**
 * The database as a file that stays here: the committed state, or with `pending` what the server has confirmed of it. It
 * is written anew only where much of it lies idle, or where it is to be tight: it may hold the bytes of what is there no
 * longer.
 */
export function snapshotCommitted(engine: Engine, pending: PendingLayers | undefined, isTight: boolean): Uint8Array {
  return toFile(engine, pending, isTight ? () => true : isLoose)
}

/** What a file of the database takes, in bytes: the pages that are in use. */
export function fileSize({ driver }: Engine): number {
  return (pragma(driver, 'page_count') - pragma(driver, 'freelist_count')) * pragma(driver, 'page_size')
}

/** What is only in open drafts, and what is pending, is taken out of a copy. */
function toFile(
  engine: Engine,
  pending: PendingLayers | undefined,
  isAnew: (driver: SqliteDriver) => boolean,
): Uint8Array {
  const bytes = engine.serialize()
  const covered = new Map<TableRows, Map<KeyId, Key>>(engine.rows.map((rows) => [rows, new Map()]))
  for (const stack of engine.layers.all()) covered.get(stack.rows)!.set(stack.id, stack.key)
  for (const rows of engine.rows)
    for (const stack of pending?.stacksOf(rows) ?? []) covered.get(rows)!.set(stack.id, stack.key)
  const isCovered = [...covered.values()].some((rows) => rows.size > 0)
  if (!isCovered && !isAnew(engine.driver)) return bytes
  const copy = engine.driver.openMemory(bytes)
  try {
    if (isCovered)
      uncover(copy, covered, (rows, id, key) => (pending ? pending.baseOf(rows, key) : committedAt(engine, rows, id)))
    if (isAnew(copy)) copy.exec('VACUUM')
    return copy.serialize()
  } finally {
    copy.close()
  }
}

/** Puts rows as they are below what covers them. */
function uncover(
  copy: SqliteDriver,
  covered: ReadonlyMap<TableRows, ReadonlyMap<KeyId, Key>>,
  below: (rows: TableRows, id: KeyId, key: Key) => readonly SqlValue[] | undefined,
): void {
  copy.exec('PRAGMA foreign_keys = OFF')
  copy.exec('BEGIN')
  // First everything that was touched goes, so that no order of unique values is in the way.
  for (const [rows, keys] of covered) for (const key of keys.values()) remove(copy, rows, key)
  for (const [rows, keys] of covered)
    for (const [id, key] of keys) {
      const stored = below(rows, id, key)
      if (stored) put(copy, rows, stored)
    }
  copy.exec('COMMIT')
}

function isLoose(driver: SqliteDriver): boolean {
  return pragma(driver, 'freelist_count') > MOST_FREE * pragma(driver, 'page_count')
}

function pragma(driver: SqliteDriver, name: string): number {
  const statement = driver.prepare(`PRAGMA ${name}`)
  try {
    return Number(statement.get()![0])
  } finally {
    statement.finalize()
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

import { SqlError } from '../../errors/index.ts'
import type { SqliteDriver, SqlValue } from '../../drivers/index.ts'
import type { Schema } from '../define-schema.ts'
import { isSchemaObject } from '../model/facets.ts'
import type { SchemaInput } from '../types/index.ts'
import { schemaDocument } from './canonical.ts'

/** How rowcast lays out its tables. Raised when a database of before could no longer be read as it is. */
const FORMAT = 1

/** What a database says of itself. */
export interface Metadata {
  /** The number of the storage layout. */
  readonly format: number
  readonly schemaVersion: number
  /** The schema document that the tables were made from, without migrations. */
  readonly definition: SchemaInput
}

/** The statement that makes the metadata table. It has one row a fact: format, schemaVersion, schema. */
export function createMetadataSql(): string {
  return 'CREATE TABLE rowcast_meta (key TEXT PRIMARY KEY NOT NULL, value TEXT) STRICT'
}

/**
 * What the database says of itself; `undefined` if it has no metadata table, so is none of rowcast's. Throws `SqlError`
 * where the table is there and can't be understood.
 */
export function readMetadata(driver: SqliteDriver): Metadata | undefined {
  if (select(driver, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'rowcast_meta'").length === 0)
    return undefined
  const facts = new Map(select(driver, 'SELECT key, value FROM rowcast_meta').map(([key, value]) => [key, value]))
  const format = wholeNumber(facts.get('format'), 'format')
  if (format > FORMAT)
    throw new SqlError(`the database has storage format ${format}, this rowcast knows ${FORMAT}: use a newer rowcast`)
  const schemaVersion = wholeNumber(facts.get('schemaVersion'), 'schemaVersion')
  return { format, schemaVersion, definition: document(facts.get('schema')) }
}

/** Writes what the tables are now made from. The metadata table must be there. */
export function writeMetadata(driver: SqliteDriver, schema: Schema): void {
  const statement = driver.prepare('INSERT OR REPLACE INTO rowcast_meta (key, value) VALUES (?, ?)')
  try {
    statement.run(['format', String(FORMAT)])
    statement.run(['schemaVersion', String(schema.version)])
    statement.run(['schema', schemaDocument(schema.definition)])
  } finally {
    statement.finalize()
  }
}

/** Every row of one statement, which is freed: SQLite would not let its table be dropped otherwise. */
export function select(driver: SqliteDriver, sql: string, parameters: readonly SqlValue[] = []): SqlValue[][] {
  const statement = driver.prepare(sql)
  try {
    return statement.all(parameters)
  } finally {
    statement.finalize()
  }
}

function wholeNumber(value: SqlValue | undefined, key: string): number {
  const number = typeof value === 'string' && /^[1-9]\d{0,14}$/.test(value) ? Number(value) : undefined
  if (number === undefined)
    throw malformed(`'${key}' is ${JSON.stringify(value) ?? 'missing'}, expected a whole number from 1`)
  return number
}

function document(value: SqlValue | undefined): SchemaInput {
  if (typeof value !== 'string') throw malformed("'schema' is missing")
  let parsed: unknown
  try {
    parsed = JSON.parse(value)
  } catch (error) {
    throw malformed("'schema' is no JSON", error)
  }
  if (!isSchemaObject(parsed) || !isSchemaObject(parsed['tables'])) throw malformed("'schema' is no schema document")
  return parsed as unknown as SchemaInput
}

function malformed(what: string, cause?: unknown): SqlError {
  return new SqlError(`the database's metadata (table rowcast_meta) is damaged: ${what}: use another copy`, { cause })
}

import { sqlJsDriver, type SqliteDriver, type SqliteDriverFactory } from '../drivers/index.ts'
import { RowcastError, SchemaError } from '../errors/index.ts'
import { createDatabase, isSchema, openDatabase, type InsertOf, type Schema, type SchemaInput } from '../schema/index.ts'
import type { Store } from './api.ts'
import { Engine } from './engine.ts'
import { RowWriter } from './rows/row-writer.ts'
import { StoreHandle, toBytes } from './store-handle.ts'

/** Rows to begin with, by table. A singleton takes one. */
export type InitialRows<S extends SchemaInput> = {
  readonly [T in keyof S['tables']]?: S['tables'][T] extends { readonly singleton: true } ? InsertOf<S, T> : readonly InsertOf<S, T>[]
}

export interface StoreOptions<S extends SchemaInput> {
  /** Made by `defineSchema`. */
  readonly schema: Schema<S>
  /** A `.db` file, which is migrated if it is older than the schema, or rows to begin with. Empty without. */
  readonly data?: Uint8Array | ArrayBuffer | InitialRows<S> | undefined
  /** sql.js in memory if not given; `rowcast/node` has the other. */
  readonly driver?: SqliteDriverFactory | undefined
  /** Where sql.js finds its `.wasm`: in a bundler, the URL of the asset. */
  readonly locateFile?: ((file: string) => string) | undefined
  readonly history?: { /** How many steps can be undone; 100 if not given. */ readonly limit?: number | undefined } | undefined
  /** Whether every write throws ReadOnlyError. */
  readonly readOnly?: boolean | undefined
}

/**
 * Opens a store: a SQLite database in memory whose tables are those of the schema.
 *
 * Throws VersionError for a file that is newer than the schema, MigrationError for one that can't be migrated, SqlError
 * for what is no such file, ValidationError and ConstraintError for rows that the schema refuses. Nothing is left open.
 */
export async function createStore<const S extends SchemaInput>(options: StoreOptions<S>): Promise<Store<S>> {
  const { schema, data } = options
  if (!isSchema(schema)) throw new SchemaError('schema', 'expected what defineSchema returns')
  const factory = options.driver ?? sqlJsDriver(options.locateFile ? { locateFile: options.locateFile } : {})
  const bytes = isBytes(data) ? toBytes(data) : undefined
  const driver = await factory.open(bytes)
  try {
    return openStore(driver, schema, options, bytes ? undefined : (data as InitialRows<S> | undefined))
  } catch (error) {
    driver.close()
    throw error
  }
}

function openStore<S extends SchemaInput>(driver: SqliteDriver, schema: Schema<S>, options: StoreOptions<S>, rows: InitialRows<S> | undefined): Store<S> {
  if (hasTables(driver)) openDatabase(driver, schema)
  else createDatabase(driver, schema)
  const engine = new Engine(driver, schema)
  if (rows) insertInitial(engine, rows)
  engine.readOnly = options.readOnly ?? false
  // The handle is untyped; api.ts says what the schema makes of it.
  return new StoreHandle(engine, { historyLimit: options.history?.limit }) as unknown as Store<S>
}

/** In one transaction, whatever the order of tables: references are checked at its end. */
function insertInitial(engine: Engine, data: { readonly [table: string]: unknown }): void {
  engine.write(undefined, { origin: 'import' }, () => {
    for (const [name, given] of Object.entries(data)) {
      const rows = engine.table(name)
      const writer = new RowWriter(engine, rows, undefined)
      if (rows.schema.model.singleton) writer.upsert([given as never])
      else if (Array.isArray(given)) writer.insert(given)
      else throw new RowcastError('data', `data.${name}: expected an array of rows`)
    }
  })
}

function hasTables(driver: SqliteDriver): boolean {
  const statement = driver.prepare('SELECT count(*) FROM sqlite_schema')
  try {
    return Number(statement.get()![0]) > 0
  } finally {
    statement.finalize()
  }
}

function isBytes(data: unknown): data is Uint8Array | ArrayBuffer {
  return data instanceof Uint8Array || data instanceof ArrayBuffer || Object.prototype.toString.call(data) === '[object ArrayBuffer]'
}

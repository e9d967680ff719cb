import { sqlJsDriver, type SqliteDriverFactory } from '../drivers/index.ts'
import { SchemaError } from '../errors/index.ts'
import { isSchema, type InsertOf, type Schema, type SchemaInput } from '../schema/index.ts'
import type { Store } from './api.ts'
import { isBytes, toBytes } from './bytes.ts'

/** Rows to begin with, by table. A singleton takes one. */
export type InitialRows<S extends SchemaInput> = {
  readonly [T in keyof S['tables']]?: S['tables'][T] extends { readonly singleton: true }
    ? InsertOf<S, T>
    : readonly InsertOf<S, T>[]
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
  readonly history?:
    | { /** How many steps can be undone; 100 if not given. */ readonly limit?: number | undefined }
    | undefined
  /** Whether every write throws ReadOnlyError. */
  readonly readOnly?: boolean | undefined
}

/**
 * Opens a store: a SQLite database in memory whose tables are those of the schema. The engine is loaded beside SQLite's
 * WebAssembly, so that an application's first load has neither.
 *
 * Throws VersionError for a file that is newer than the schema, MigrationError for one that can't be migrated, SqlError
 * for what is no such file, ValidationError and ConstraintError for rows that the schema refuses. Nothing is left open.
 */
export async function createStore<const S extends SchemaInput>(options: StoreOptions<S>): Promise<Store<S>> {
  const { schema, data } = options
  if (!isSchema(schema)) throw new SchemaError('schema', 'expected what defineSchema returns')
  const factory = options.driver ?? sqlJsDriver(options.locateFile ? { locateFile: options.locateFile } : {})
  const file = isBytes(data) ? toBytes(data) : undefined
  const loading = import('./open-store.ts')
  const driver = await factory.open(file)
  try {
    const { openStore } = await loading
    return openStore({
      driver,
      schema,
      file,
      rows: isBytes(data) ? undefined : data,
      readOnly: options.readOnly ?? false,
      historyLimit: options.history?.limit,
    }) as unknown as Store<S> // The handle is untyped; api.ts says what the schema makes of it.
  } catch (error) {
    driver.close()
    throw error
  }
}

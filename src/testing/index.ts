/**
 * testing: what users' own tests need. Imports src/schema and src/store.
 * @module
 */
import type { Schema, SchemaInput } from '../schema/index.ts'
import { createStore, type InitialRows, type Store, type StoreOptions } from '../store/index.ts'

/**
 * A store in memory with some rows, for tests: a real one, on real SQLite. Throws what `createStore` throws.
 *
 * @param schema made by `defineSchema`
 * @param options where sql.js finds its `.wasm` in a browser, another driver, the history's limit
 */
export function createMemoryStore<const S extends SchemaInput>(
  schema: Schema<S>,
  rows?: InitialRows<S>,
  options: Pick<StoreOptions<S>, 'driver' | 'locateFile' | 'history'> = {},
): Promise<Store<S>> {
  return createStore({ ...options, schema, data: rows })
}

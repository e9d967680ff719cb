/**
 * testing: what users' own tests need. Imports src/schema and src/store.
 * @module
 */
import type { Schema, SchemaInput } from '../schema/index.ts'
import { createStore, type InitialRows, type Store } from '../store/index.ts'

/**
 * A store in memory with some rows, for tests: a real one, on real SQLite. Throws what `createStore` throws.
 *
 * @param schema made by `defineSchema`
 */
export function createMemoryStore<const S extends SchemaInput>(schema: Schema<S>, rows?: InitialRows<S>): Promise<Store<S>> {
  return createStore({ schema, data: rows })
}

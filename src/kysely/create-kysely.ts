import { Kysely } from 'kysely'
import type { SchemaInput } from '../schema/index.ts'
import type { Workspace } from '../store/index.ts'
import type { DatabaseOf } from './database-of.ts'
import { StoreDialect } from './store-dialect.ts'

/**
 * Kysely over a store or a draft: a wrong table, column or value doesn't compile. Queries are run at once by `run`, `live`
 * and `exec`, or by Kysely's own `execute()`, which resolves in a later turn. Writes are validated, captured and undone
 * like any other.
 *
 * Kysely's own transactions reject with TransactionError, since a store's are synchronous: use `store.transaction`, with
 * `exec` inside. Statements that make or change tables reject with SqlError. `destroy()` leaves the store open. Plugins
 * that change results do so for `execute()` only.
 *
 * @param workspace a store, or a draft, which holds the writes then
 * @example
 * ```ts
 * import { createMemoryStore } from 'rowcast/testing'
 * import { defineSchema } from 'rowcast'
 * import { createKysely, exec, live, run } from 'rowcast/kysely'
 *
 * const schema = defineSchema({
 *   version: 1,
 *   tables: {
 *     city: {
 *       primaryKey: 'id',
 *       schema: {
 *         type: 'object',
 *         required: ['id', 'label'],
 *         properties: {
 *           id: { type: 'string' },
 *           label: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
 *           people: { type: 'integer', minimum: 0, default: 0 },
 *         },
 *       },
 *     },
 *   },
 * })
 * const store = await createMemoryStore(schema, { city: [{ id: 'b', label: { text: 'Bern' } }] })
 * const db = createKysely(store)
 *
 * const largest = db.selectFrom('city').select(['label_text', 'people']).orderBy('people', 'desc').limit(10)
 * console.log(run(store, largest)) // [{ label_text: 'Bern', people: 0 }]
 *
 * live(store, largest).rows$.subscribe((rows) => console.log(rows.length))
 * exec(store, db.updateTable('city').set({ people: 134_000 }).where('id', '=', 'b'))
 * console.log(await largest.execute()) // [{ label_text: 'Bern', people: 134000 }]
 * ```
 */
export function createKysely<S extends SchemaInput>(workspace: Workspace<S>): Kysely<DatabaseOf<S>> {
  return new Kysely<DatabaseOf<S>>({ dialect: new StoreDialect(workspace) })
}

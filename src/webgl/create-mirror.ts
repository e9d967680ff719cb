import type { KeyOf, PathOf, SchemaInput, TableName } from '../schema/index.ts'
import type { Store } from '../store/index.ts'
import type { Mirror, MirrorAttributes, MirrorOptions } from './mirror.ts'
import { TableMirror } from './table-mirror.ts'

/**
 * Mirrors a table in typed arrays, for WebGL: filled once, then kept in step with each ChangeSet at a cost of the cells
 * that changed. Not to be called within a transaction.
 *
 * Values become numbers like this: booleans 0 and 1; null, absent and NaN the attribute's `fallback`; in whole-number
 * types they are rounded and clamped.
 *
 * Throws NotFoundError for an unknown table or path, and RowcastError (`mirror`) for attributes that can't be.
 */
export function createMirror<
  S extends SchemaInput,
  T extends TableName<S>,
  const A extends MirrorAttributes<PathOf<S, T>>,
>(store: Store<S>, table: T, options: MirrorOptions<S, T, A>): Mirror<KeyOf<S, T>, A> {
  const mirror: unknown = new TableMirror(store as unknown as Store, table, options)
  return mirror as Mirror<KeyOf<S, T>, A>
}

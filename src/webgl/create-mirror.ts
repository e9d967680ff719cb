import type { KeyOf, PathOf, SchemaInput, TableName } from '../schema/index.ts'
import { NotFoundError, RowcastError } from '../errors/index.ts'
import type { Store } from '../store/index.ts'
import type { Mirror, MirrorAttributes, MirrorOptions } from './mirror.ts'
import { TableMirror } from './table-mirror.ts'

/**
 * Mirrors a table in typed arrays, for WebGL: filled once, then kept in step with each ChangeSet at a cost of the cells
 * that changed. Not to be called within a transaction.
 *
 * Values become numbers like this: booleans 0 and 1; null, absent and NaN the attribute's `fallback`; in whole-number
 * types they are rounded and clamped. What is finite and beyond the range of `f32` is clamped too, and said as an uncaught
 * RowcastError (`mirror`): once for each attribute and ChangeSet.
 *
 * Throws NotFoundError for an unknown table or path, RowcastError (`mirror`) for attributes that can't be and for what is
 * no store, and StoreClosedError.
 */
export function createMirror<
  S extends SchemaInput,
  T extends TableName<S>,
  const A extends MirrorAttributes<PathOf<S, T>>,
>(store: Store<S>, table: T, options: MirrorOptions<S, T, A>): Mirror<KeyOf<S, T>, A> {
  checkArguments(store, table, options)
  const mirror: unknown = new TableMirror(store as unknown as Store, table, options)
  return mirror as Mirror<KeyOf<S, T>, A>
}

function checkArguments(store: unknown, table: unknown, options: unknown): void {
  if (!isMembers(store) || !isMembers(store['schema']) || !(store['schema']['tables'] instanceof Map))
    throw new RowcastError('mirror', 'createMirror expects a store that createStore has made')
  const { tables } = store['schema']
  if (typeof table !== 'string' || !tables.has(table))
    throw new NotFoundError(
      `createMirror: there is no table '${String(table)}': the schema has ${[...tables.keys()].join(', ')}`,
    )
  if (!isMembers(options) || !isMembers(options['attributes']))
    throw new RowcastError(
      'mirror',
      `createMirror of '${table}' expects { attributes: { position: { paths: ['x', 'y'], type: 'f32' } } }`,
    )
  for (const [name, attribute] of Object.entries(options['attributes']))
    if (!isMembers(attribute))
      throw new RowcastError('mirror', `attribute '${name}': expected an object with paths and type`)
  const { scheduler } = options
  if (scheduler !== undefined && typeof scheduler !== 'function')
    throw new RowcastError('mirror', 'scheduler: expected a function that calls its argument in the next frame')
}

function isMembers(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

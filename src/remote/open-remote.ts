import { sqlJsDriver } from '../drivers/index.ts'
import { RowcastError, SchemaError, SqlError } from '../errors/index.ts'
import { defineSchema, isSchema, readMetadata, type Schema, type SchemaInput } from '../schema/index.ts'
import { createStore, type Store, type StoreOptions } from '../store/index.ts'
import { assertWanted, download, type RemoteProgress } from './download.ts'

export type { RemoteProgress } from './download.ts'

export interface RemoteOptions<S extends SchemaInput> extends Pick<StoreOptions<S>, 'driver' | 'locateFile'> {
  /** The schema that the code was written for. Without it, the one stored in the file is taken. */
  readonly schema?: Schema<S> | undefined
  /** `whole`: the file is loaded first, then everything is in memory. `auto` chooses; today it always chooses `whole`. */
  readonly mode?: 'auto' | 'whole' | undefined
  /** Told how much has been loaded, in bytes. */
  readonly onProgress?: ((progress: RemoteProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Instead of the platform's own, for headers or caches of one's own. */
  readonly fetch?: typeof fetch | undefined
}

/**
 * Opens a published `.db` file by its URL as a read-only store: the same tables, streams and hooks; writes throw
 * ReadOnlyError. A file older than `schema` is migrated in memory.
 *
 * Throws RowcastError with code `aborted` where `signal` ends it, `remote` where the file can't be loaded, SqlError for what is no rowcast database,
 * VersionError for one that is newer than `schema`, MigrationError for one that can't be migrated, SchemaError for a
 * `schema` that `defineSchema` has not made.
 */
export async function openRemote<const S extends SchemaInput = SchemaInput>(
  url: string | URL,
  options: RemoteOptions<S> = {},
): Promise<Store<S>> {
  checkArguments(url, options)
  const bytes = await download(url, options)
  const driver = options.driver ?? sqlJsDriver(options.locateFile ? { locateFile: options.locateFile } : {})
  const schema = options.schema ?? ((await storedSchema(bytes, driver)) as Schema<S>)
  assertWanted(url, options.signal)
  return createStore({ schema, data: bytes, driver, readOnly: true, history: { limit: 0 } })
}

/** Before anything is loaded. */
function checkArguments(url: unknown, options: unknown): void {
  if (!(typeof url === 'string' && url !== '') && !(url instanceof URL))
    throw new RowcastError('remote', `openRemote expects the URL of a .db file, not ${url === '' ? "''" : typeof url}`)
  if (typeof options !== 'object' || options === null)
    throw new RowcastError('remote', 'openRemote expects its options as an object, or none')
  const { mode = 'auto', schema, onProgress, fetch: load, signal } = options as { readonly [name: string]: unknown }
  if (mode !== 'auto' && mode !== 'whole')
    throw new RowcastError('remote', `mode '${String(mode)}' is not supported: expected 'auto' or 'whole'`)
  if (schema !== undefined && !isSchema(schema))
    throw new SchemaError('schema', 'openRemote expects what defineSchema returns, or none')
  for (const [name, given] of Object.entries({ onProgress, fetch: load }))
    if (given !== undefined && typeof given !== 'function')
      throw new RowcastError('remote', `${name}: expected a function`)
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new RowcastError('remote', 'signal: expected an AbortSignal')
}

async function storedSchema(
  bytes: Uint8Array,
  factory: NonNullable<StoreOptions<SchemaInput>['driver']>,
): Promise<Schema> {
  const driver = await factory.open(bytes)
  try {
    const metadata = readMetadata(driver)
    if (!metadata) throw new SqlError('not a rowcast database: it has no rowcast_meta table')
    return defineSchema(metadata.definition)
  } finally {
    driver.close()
  }
}

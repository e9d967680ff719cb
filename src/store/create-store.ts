import { sqlJsDriver, type SqliteDriver, type SqliteDriverFactory } from '../drivers/index.ts'
import { RowcastError, SchemaError } from '../errors/index.ts'
import { isSchema, type InsertOf, type Schema, type SchemaInput, type WhereOf } from '../schema/index.ts'
import type { HistoryStep, Store } from './api.ts'
import { isBytes, toBytes } from './bytes.ts'
import { describe } from './describe.ts'
import { loadKept, type OnDamaged } from './persistence/load-kept.ts'
import type { Persistence } from './persistence/persistence.ts'
import type { SyncTransport } from './running-sync.ts'

/** Rows to begin with, by table. A singleton takes one. */
export type InitialRows<S extends SchemaInput> = {
  readonly [T in keyof S['tables']]?: S['tables'][T] extends { readonly singleton: true }
    ? InsertOf<S, T>
    : string extends T
      ? InsertOf<S, T> | readonly InsertOf<S, T>[]
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
    | {
        /** How many steps can be undone; 100 if not given. */
        readonly limit?: number | undefined
        /**
         * What these steps take in memory, about, in bytes; 32 MiB if not given. Beyond, the oldest are forgotten; the
         * newest is kept however large it is.
         */
        readonly bytes?: number | undefined
        /**
         * What the transaction is called that undoes a step, or does it again, in ChangeSets and in the server's log; the
         * step's own label where it is not given, or gives `undefined`.
         */
        readonly label?: ((step: HistoryStep, action: 'undo' | 'redo') => string | undefined) | undefined
      }
    | undefined
  /** Whether every write throws ReadOnlyError. */
  readonly readOnly?: boolean | undefined
  /** A server to keep in step with. What `data` gives is a copy of before then, which the server brings up to date. */
  readonly sync?: SyncOptions<S> | undefined
  /**
   * Where the store is kept over reloads: `opfsPersistence({ name })` of `rowcast/persist`, for one. What is kept there
   * counts; `data` is for the first time. Rejects with PersistenceError where it can't be opened.
   */
  readonly persistence?: Persistence | undefined
  /**
   * Called where what is kept there is damaged. With `'rescue'` the store goes on with what is intact; with `'reset'` it
   * begins anew, from the server or from `data`. In both cases transactions that are intact and not confirmed stay, where
   * there is `sync`, and the damaged files are set aside. Without it createStore rejects with DamagedError.
   */
  readonly onDamaged?: OnDamaged | undefined
}

export interface SyncOptions<S extends SchemaInput> {
  /** How to reach it: `webSocketTransport({ url, token })` of `rowcast/transport`, for one. */
  readonly transport: SyncTransport
  /** The name of the database there. */
  readonly database: string
  /** The parts of it that are wanted; everything if not given. More may be asked for later: `store.sync.subscribe`. */
  readonly subscribe?: readonly SyncSetOf<S>[] | undefined
  /**
   * What `data` is up to, where it is a file that the server exported: its response header `rowcast-position`. Then only
   * what has changed since is fetched.
   */
  readonly position?: string | undefined
  /**
   * The id of the user, as the server knows it. What is kept is one user's: with another createStore rejects with code
   * `other-user`, and opens and sends nothing. Without it the token's `sub` says who it is, or the token itself.
   */
  readonly user?: string | undefined
}

/** A table, and which of its rows. */
export type SyncSetOf<S extends SchemaInput> = {
  readonly [T in keyof S['tables'] & string]: { readonly table: T; readonly where?: WhereOf<S, T> | undefined }
}[keyof S['tables'] & string]

/**
 * Opens a store: a SQLite database in memory whose tables are those of the schema. The engine is loaded beside SQLite's
 * WebAssembly, so that an application's first load has neither.
 *
 * Throws VersionError for a file that is newer than the schema, MigrationError for one that can't be migrated, SqlError
 * for what is no such file, ValidationError and ConstraintError for rows that the schema refuses, SchemaError for what
 * `defineSchema` has not made, RowcastError with code `options` or `data` for anything else that can't be meant. Nothing
 * is left open.
 */
export async function createStore<const S extends SchemaInput>(options: StoreOptions<S>): Promise<Store<S>> {
  checkOptions(options)
  const { schema, data, persistence } = options
  const factory = options.driver ?? sqlJsDriver(options.locateFile ? { locateFile: options.locateFile } : {})
  const loading = import('./open-kept.ts')
  const session = await persistence?.open()
  let driver: SqliteDriver | undefined
  try {
    const { sync } = options
    const contents = session && (await loadKept(session, { sync: sync?.transport, onDamaged: options.onDamaged }))
    const owner = await sync?.transport.assertOwner(contents?.records ?? [], {
      user: sync.user,
      database: sync.database,
    })
    const given = contents?.snapshot ?? data
    const file = isBytes(given) ? toBytes(given) : undefined
    driver = await factory.open(file)
    const { openKept } = await loading
    const store = await openKept(
      {
        driver,
        schema,
        file,
        rows: isBytes(given) ? undefined : given,
        readOnly: options.readOnly ?? false,
        history: options.history,
      },
      { factory, sync: sync && { ...sync, owner: owner ?? {} }, kept: session && contents && { session, contents } },
    )
    return store as unknown as Store<S> // The handle is untyped; api.ts says what the schema makes of it.
  } catch (error) {
    driver?.close()
    await session?.close()
    throw error
  }
}

/** Before anything is loaded or opened. */
function checkOptions(options: unknown): void {
  if (!isMembers(options))
    throw new RowcastError('options', `createStore expects { schema, … }, not ${describe(options)}`)
  const { schema, data, driver, locateFile, history, readOnly, sync, persistence, onDamaged } = options
  if (!isSchema(schema))
    throw new SchemaError('schema', `createStore expects what defineSchema returns, not ${describe(schema)}`)
  if (data !== undefined && !isBytes(data) && (!isMembers(data) || ArrayBuffer.isView(data)))
    throw new RowcastError('data', `data: expected the bytes of a .db file or { table: rows }, not ${describe(data)}`)
  if (driver !== undefined && !(isMembers(driver) && typeof driver['open'] === 'function'))
    throw new RowcastError('options', `driver: expected one such as nodeSqliteDriver(), not ${describe(driver)}`)
  if (locateFile !== undefined && typeof locateFile !== 'function')
    throw new RowcastError('options', `locateFile: expected a function, not ${describe(locateFile)}`)
  if (readOnly !== undefined && typeof readOnly !== 'boolean')
    throw new RowcastError('options', `readOnly: expected true or false, not ${describe(readOnly)}`)
  if (history !== undefined && !(isMembers(history) && isCount(history['limit']) && isCount(history['bytes'])))
    throw new RowcastError('options', 'history: expected { limit, bytes }, whole numbers of steps and of bytes from 0')
  if (history?.label !== undefined && typeof history.label !== 'function')
    throw new RowcastError('options', `history: label is a function of a step, not ${describe(history.label)}`)
  if (onDamaged !== undefined && typeof onDamaged !== 'function')
    throw new RowcastError('options', `onDamaged: expected a function, not ${describe(onDamaged)}`)
  if (sync !== undefined) checkSync(sync, readOnly === true)
  if (persistence !== undefined && !(isMembers(persistence) && typeof persistence['open'] === 'function'))
    throw new RowcastError('options', `persistence: expected one of rowcast/persist, not ${describe(persistence)}`)
}

function checkSync(sync: unknown, readOnly: boolean): void {
  if (!isMembers(sync))
    throw new RowcastError('options', `sync: expected { transport, database }, not ${describe(sync)}`)
  const { transport, database, subscribe, position, user } = sync
  if (!isMembers(transport) || typeof transport['startSync'] !== 'function')
    throw new RowcastError(
      'options',
      `sync.transport: expected a transport of rowcast/transport (one's own: syncing(transport)), not ${describe(transport)}`,
    )
  if (typeof database !== 'string' || database === '')
    throw new RowcastError('options', `sync.database: expected the database's name, not ${describe(database)}`)
  if (subscribe !== undefined && !Array.isArray(subscribe))
    throw new RowcastError('options', `sync.subscribe: expected a list of { table, where }, not ${describe(subscribe)}`)
  if (position !== undefined && typeof position !== 'string')
    throw new RowcastError(
      'options',
      `sync.position: expected what the server's export said, not ${describe(position)}`,
    )
  if (user !== undefined && (typeof user !== 'string' || user === ''))
    throw new RowcastError('options', `sync.user: expected the user's id, a text, not ${describe(user)}`)
  if (readOnly) throw new RowcastError('options', 'sync: a read-only store takes nothing in: leave readOnly out')
}

function isMembers(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): boolean {
  return value === undefined || value === Infinity || (Number.isInteger(value) && (value as number) >= 0)
}

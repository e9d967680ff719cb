import type { SqliteDriverFactory } from '../drivers/index.ts'
import type { KeptContents } from './persistence/journal.ts'
import type { PersistenceSession } from './persistence/persistence.ts'
import { carryOver } from './persistence/carry-over.ts'
import { openStore, type OpenOptions } from './open-store.ts'
import type { SyncStart, SyncTransport } from './running-sync.ts'
import type { StoreHandle } from './store-handle.ts'

/** What a store is kept in step with, and where it is kept. */
interface Around {
  /** For a file that is made of what was kept. */
  readonly factory: SqliteDriverFactory
  readonly sync:
    | {
        readonly transport: SyncTransport
        readonly database: string
        readonly subscribe?: SyncStart['subscribe']
        readonly position?: string | undefined
        readonly user?: string | undefined
        readonly owner: SyncStart['owner']
      }
    | undefined
  readonly kept: { readonly session: PersistenceSession; readonly contents: KeptContents } | undefined
}

/** Opens a store with what was kept of it. Throws what `createStore` says; a driver that it opened is closed then. */
export async function openKept(given: OpenOptions, { factory, sync, kept }: Around): Promise<StoreHandle> {
  let { driver, file } = given
  let contents = kept?.contents
  try {
    const carried = contents && !driver.durable ? carryOver(driver, given.schema, contents, sync) : undefined
    if (carried) {
      // A store that is only read leaves what lies there as it is.
      const another = carried.snapshot !== contents?.snapshot
      contents = given.readOnly ? { ...carried, outdated: false } : carried
      if (another) {
        file = carried.snapshot
        driver = await factory.open(file)
      }
    }
    const store = openStore({ ...given, driver, file })
    const all = kept && contents && { session: kept.session, contents }
    if (sync)
      store.startSync((internals) =>
        sync.transport.startSync(internals, {
          database: sync.database,
          subscribe: sync.subscribe,
          position: contents?.snapshot ? undefined : sync.position,
          user: sync.user,
          owner: sync.owner,
          kept: all,
        }),
      )
    else if (all) store.keep(all.session, all.contents)
    return store
  } catch (error) {
    driver.close()
    throw error
  }
}

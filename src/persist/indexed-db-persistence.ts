import { askToPersist, estimateOrigin } from './browser-storage.ts'
import { IndexedDbMedium } from './indexed-db-medium.ts'
import { MediumSession } from './medium-session.ts'
import { PersistenceError } from './persistence-error.ts'
import type { Persistence, PersistenceSession, QuotaOptions } from './persistence.ts'
import { assertQuotaOptions } from './quota-watch.ts'
import { storageFailure } from './storage-failure.ts'
import { takeWebLock } from './web-lock.ts'

/** How a store's storage in a browser is called and watched. */
export interface BrowserPersistenceOptions extends QuotaOptions {
  /** Its name within the origin. */
  readonly name: string
}

/**
 * Storage in IndexedDB, in transactions of strict durability. Asks the browser to keep the origin's storage.
 * Throws `PersistenceError` for a `warnAt` out of range.
 */
export function indexedDbPersistence(options: BrowserPersistenceOptions): Persistence {
  assertQuotaOptions(options)
  return { open: () => openIndexedDb(options) }
}

async function openIndexedDb(options: BrowserPersistenceOptions): Promise<PersistenceSession> {
  const name = `IndexedDB '${options.name}'`
  if (typeof indexedDB === 'undefined') {
    throw new PersistenceError(
      'persistence-unavailable',
      `${name} can't be opened: there is no IndexedDB here; on Node use filePersistence`,
    )
  }
  const release = await lockIndexedDb(options.name)
  try {
    askToPersist()
    return await MediumSession.open(name, await IndexedDbMedium.open(options.name, release), options)
  } catch (error) {
    release()
    throw await storageFailure(error, 'opening', name, estimateOrigin)
  }
}

/** The lock of a store's database; rejects with `persistence-in-use`. */
export function lockIndexedDb(name: string): Promise<() => void> {
  return takeWebLock(`rowcast:indexeddb:${name}`, `IndexedDB '${name}'`)
}

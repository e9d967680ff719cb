import { deleteDB } from 'idb'
import { askToPersist, estimateOrigin } from './browser-storage.ts'
import { databaseName, IndexedDbMedium } from './indexed-db-medium.ts'
import { MediumSession } from './medium-session.ts'
import { PersistenceError } from './persistence-error.ts'
import { assertWaitOptions, type WaitOptions, waitMsOf } from './open-wait.ts'
import type { Persistence, PersistenceSession, QuotaOptions } from './persistence.ts'
import { assertQuotaOptions } from './quota-watch.ts'
import { storageFailure } from './storage-failure.ts'
import { takeWebLock } from './web-lock.ts'

/** How a store's storage in a browser is called and watched. */
export interface BrowserPersistenceOptions extends QuotaOptions, WaitOptions {
  /** Its name within the origin. */
  readonly name: string
}

/**
 * Storage in IndexedDB, in transactions of strict durability. Asks the browser to keep the origin's storage.
 * Throws `PersistenceError` for a `warnAt` or `waitMs` out of range.
 */
export function indexedDbPersistence(options: BrowserPersistenceOptions): Persistence {
  assertQuotaOptions(options)
  assertWaitOptions(options)
  return { open: () => openIndexedDb(options), forget: () => forgetIndexedDb(options.name) }
}

async function openIndexedDb(options: BrowserPersistenceOptions): Promise<PersistenceSession> {
  const name = `IndexedDB '${options.name}'`
  assertIndexedDb(name)
  const release = await lockIndexedDb(options.name, waitMsOf(options))
  try {
    askToPersist()
    return await MediumSession.open(name, await IndexedDbMedium.open(options.name, release), options)
  } catch (error) {
    release()
    throw await storageFailure(error, 'opening', name, estimateOrigin)
  }
}

async function forgetIndexedDb(store: string): Promise<void> {
  const name = `IndexedDB '${store}'`
  assertIndexedDb(name)
  const release = await lockIndexedDb(store)
  try {
    await deleteDB(databaseName(store))
  } catch (error) {
    throw await storageFailure(error, 'removing', name, estimateOrigin)
  } finally {
    release()
  }
}

function assertIndexedDb(name: string): void {
  if (typeof indexedDB !== 'undefined') return
  throw new PersistenceError(
    'persistence-unavailable',
    `${name} can't be opened: there is no IndexedDB here, which is in browsers alone. Where a server renders the page, ` +
      `load what opens the store in the browser only (Next.js: dynamic(() => import(…), { ssr: false })); ` +
      `a store of Node's own takes filePersistence`,
  )
}

/** The lock of a store's database, waited for; rejects with `persistence-in-use`. */
export function lockIndexedDb(name: string, waitMs?: number): Promise<() => void> {
  return takeWebLock(`rowcast:indexeddb:${name}`, `IndexedDB '${name}'`, waitMs)
}

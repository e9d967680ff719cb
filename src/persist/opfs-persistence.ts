import { askToPersist, estimateOrigin } from './browser-storage.ts'
import { type BrowserPersistenceOptions, indexedDbPersistence } from './indexed-db-persistence.ts'
import { MediumSession } from './medium-session.ts'
import { moveFromIndexedDb } from './move-from-indexed-db.ts'
import { OPFS_FOLDER } from './opfs-messages.ts'
import { OpfsMedium } from './opfs-medium.ts'
import { assertWaitOptions, waitMsOf } from './open-wait.ts'
import { PersistenceError } from './persistence-error.ts'
import type { Persistence, PersistenceSession } from './persistence.ts'
import { assertQuotaOptions } from './quota-watch.ts'
import { isOutOfSpace, storageFailure } from './storage-failure.ts'
import { takeWebLock } from './web-lock.ts'

export interface OpfsPersistenceOptions extends BrowserPersistenceOptions {
  /** Makes the worker, where the bundler needs to be told: of the module `rowcast/opfs-worker`, with `type: 'module'`. */
  readonly worker?: (() => Worker) | undefined
}

/**
 * Storage in the origin private file system, written in place by a worker; where a browser lacks OPFS or its sync access
 * handles, in IndexedDB under the same name. What was kept there meanwhile is moved over once there is OPFS, unless that has
 * data of this name already, which then counts; while space does not suffice for the move it stays in IndexedDB and is used
 * there. Asks the browser to keep the origin's storage.
 * Throws `PersistenceError` for a `warnAt` or `waitMs` out of range.
 */
export function opfsPersistence(options: OpfsPersistenceOptions): Persistence {
  assertQuotaOptions(options)
  assertWaitOptions(options)
  return {
    open: async () => (await openOpfs(options)) ?? indexedDbPersistence(options).open(),
    forget: async () => {
      await forgetOpfs(options.name)
      // What was kept there before there was OPFS here would be moved over.
      await indexedDbPersistence(options).forget?.()
    },
  }
}

/** `undefined` where there is no OPFS, or no space to move what IndexedDB has. */
async function openOpfs(options: OpfsPersistenceOptions): Promise<PersistenceSession | undefined> {
  if (typeof Worker === 'undefined' || !navigator.storage?.getDirectory) return undefined
  const name = `OPFS '${options.name}'`
  const release = await takeWebLock(`rowcast:opfs:${options.name}`, name, waitMsOf(options))
  let worker: Worker | undefined
  try {
    askToPersist()
    worker = options.worker?.() ?? defaultWorker()
    const medium = await OpfsMedium.open(worker, folderOf(options.name), release)
    if (medium && (!medium.wasEmpty || (await isMoved(options.name, medium)))) {
      return await MediumSession.open(name, medium, options)
    }
  } catch (error) {
    worker?.terminate()
    release()
    throw await storageFailure(error, 'opening', name, estimateOrigin)
  }
  worker.terminate()
  release()
  return undefined
}

async function forgetOpfs(store: string): Promise<void> {
  if (typeof navigator === 'undefined' || !navigator.storage?.getDirectory) return
  const name = `OPFS '${store}'`
  const release = await takeWebLock(`rowcast:opfs:${store}`, name)
  try {
    const all = await (await navigator.storage.getDirectory()).getDirectoryHandle(OPFS_FOLDER)
    await all.removeEntry(folderOf(store), { recursive: true })
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'NotFoundError'))
      throw await storageFailure(error, 'removing', name, estimateOrigin)
  } finally {
    release()
  }
}

function folderOf(store: string): string {
  return `store-${encodeURIComponent(store)}`
}

/** Whether nothing of this name is left in IndexedDB: what is damaged there, or has no room here, is used there. */
async function isMoved(name: string, medium: OpfsMedium): Promise<boolean> {
  try {
    await moveFromIndexedDb(name, medium)
    return true
  } catch (error) {
    if (isOutOfSpace(error)) return false
    if (error instanceof PersistenceError && error.code === 'persistence-damaged') return false
    throw error
  }
}

function defaultWorker(): Worker {
  // As it is called in the package: bundlers find it by this expression, and beside the sources they take the .ts.
  return new Worker(new URL('./opfs-worker.js', import.meta.url), { type: 'module', name: 'rowcast-opfs' })
}

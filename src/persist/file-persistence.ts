import { FileDisk } from './file-disk.ts'
import { LOCK, lockFolder, lockFolderWithin } from './file-lock.ts'
import { nodeModules } from './file-node.ts'
import { isStoreFile } from './find-generation.ts'
import { Generations } from './generations.ts'
import type { Medium } from './medium.ts'
import { MediumSession } from './medium-session.ts'
import { assertWaitOptions, type WaitOptions, waitMsOf } from './open-wait.ts'
import type { Persistence, PersistenceSession, QuotaEstimate, QuotaOptions } from './persistence.ts'
import { assertQuotaOptions } from './quota-watch.ts'
import { storageFailure } from './storage-failure.ts'

export interface FilePersistenceOptions extends QuotaOptions, WaitOptions {
  /** The folder of this store alone, made if missing. */
  readonly directory: string
}

/**
 * Storage in a folder of Node's file system: a numbered snapshot (a `.db` file that SQLite opens), the journal of records
 * beside it, and a lock that ends with the process. Needs Node 22.13; an older one, or a browser, is told so by `open`.
 * Local disks only: the locks and flushes of network file systems don't keep what they promise.
 * Throws `PersistenceError` for a `warnAt` or `waitMs` out of range.
 */
export function filePersistence(options: FilePersistenceOptions): Persistence {
  assertQuotaOptions(options)
  assertWaitOptions(options)
  return { open: () => openFolder(options), forget: () => forgetFolder(options.directory) }
}

async function openFolder(options: FilePersistenceOptions): Promise<PersistenceSession> {
  const { fs, path } = nodeModules()
  const folder = path.resolve(options.directory)
  let unlock: (() => void) | undefined
  try {
    await fs.mkdir(folder, { recursive: true })
    unlock = await lockFolderWithin(folder, waitMsOf(options))
    const disk = new FileDisk(folder)
    const medium = new FolderMedium(folder, await Generations.open(disk), unlock)
    return await MediumSession.open(folder, medium, options)
  } catch (error) {
    unlock?.()
    throw await storageFailure(error, 'opening', folder, () => estimateFolder(folder))
  }
}

/** `Generations`, and the folder's own size, quota and lock. */
class FolderMedium implements Medium {
  readonly load: Medium['load']
  readonly append: Medium['append']
  readonly isWhole: Medium['isWhole']
  readonly #folder: string
  readonly #generations: Generations
  #unlock: () => void

  constructor(folder: string, generations: Generations, unlock: () => void) {
    this.#folder = folder
    this.#generations = generations
    this.#unlock = unlock
    this.load = () => generations.load()
    this.append = (records) => generations.append(records)
    this.isWhole = () => generations.isWhole()
  }

  async replace(snapshot: Uint8Array, records: readonly Uint8Array[]): Promise<void> {
    const disk = new FileDisk(this.#folder)
    // Removed with all that was there, it locks nothing.
    if ((await disk.sizeOf(LOCK)) === undefined) {
      await nodeModules().fs.mkdir(this.#folder, { recursive: true })
      const unlock = lockFolder(this.#folder)
      this.#unlock()
      this.#unlock = unlock
    }
    await this.#generations.replace(snapshot, records)
  }

  estimate(): Promise<QuotaEstimate> {
    return estimateFolder(this.#folder)
  }

  async close(): Promise<void> {
    try {
      await this.#generations.close()
    } finally {
      this.#unlock()
    }
  }
}

/** Removes what stores write there, and the folder if nothing else is in it. */
async function forgetFolder(directory: string): Promise<void> {
  const { fs, path } = nodeModules()
  const folder = path.resolve(directory)
  const disk = new FileDisk(folder)
  let unlock: (() => void) | undefined
  try {
    if (!(await isFolder(folder))) return
    unlock = lockFolder(folder)
    for (const name of await disk.list()) if (isStoreFile(name)) await disk.remove(name)
    unlock()
    unlock = undefined
    await disk.remove(LOCK)
    if ((await disk.list()).length === 0) await fs.rmdir(folder)
  } catch (error) {
    unlock?.()
    throw await storageFailure(error, 'removing', folder, () => estimateFolder(folder))
  }
}

async function isFolder(folder: string): Promise<boolean> {
  return nodeModules()
    .fs.stat(folder)
    .then(
      (found) => found.isDirectory(),
      () => false,
    )
}

async function estimateFolder(folder: string): Promise<QuotaEstimate> {
  const { fs } = nodeModules()
  const [usage, { bavail, bsize }] = await Promise.all([new FileDisk(folder).size(), fs.statfs(folder)])
  return { usage, quota: usage + bavail * bsize }
}

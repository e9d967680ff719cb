import { FileDisk } from './file-disk.ts'
import { lockFolder } from './file-lock.ts'
import { nodeModules } from './file-node.ts'
import { Generations } from './generations.ts'
import type { Medium } from './medium.ts'
import { MediumSession } from './medium-session.ts'
import type { Persistence, PersistenceSession, QuotaEstimate, QuotaOptions } from './persistence.ts'
import { assertQuotaOptions } from './quota-watch.ts'
import { storageFailure } from './storage-failure.ts'

export interface FilePersistenceOptions extends QuotaOptions {
  /** The folder of this store alone, made if missing. */
  readonly directory: string
}

/**
 * Storage in a folder of Node's file system: a numbered snapshot (a `.db` file that SQLite opens), the journal of records
 * beside it, and a lock that ends with the process. Needs Node 22.13; an older one, or a browser, is told so by `open`.
 * Local disks only: the locks and flushes of network file systems don't keep what they promise.
 * Throws `PersistenceError` for a `warnAt` out of range.
 */
export function filePersistence(options: FilePersistenceOptions): Persistence {
  assertQuotaOptions(options)
  return { open: () => openFolder(options) }
}

async function openFolder(options: FilePersistenceOptions): Promise<PersistenceSession> {
  const { fs, path } = nodeModules()
  const folder = path.resolve(options.directory)
  let unlock: (() => void) | undefined
  try {
    await fs.mkdir(folder, { recursive: true })
    unlock = lockFolder(folder)
    const disk = new FileDisk(folder)
    const medium = new FolderMedium(await Generations.open(disk), () => estimateFolder(folder), unlock)
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
  readonly replace: Medium['replace']
  readonly estimate: Medium['estimate']
  readonly close: Medium['close']

  constructor(generations: Generations, estimate: Medium['estimate'], unlock: () => void) {
    this.load = () => generations.load()
    this.append = (records) => generations.append(records)
    this.replace = (snapshot, records) => generations.replace(snapshot, records)
    this.estimate = estimate
    this.close = async () => {
      try {
        await generations.close()
      } finally {
        unlock()
      }
    }
  }
}

async function estimateFolder(folder: string): Promise<QuotaEstimate> {
  const { fs } = nodeModules()
  const [usage, { bavail, bsize }] = await Promise.all([new FileDisk(folder).size(), fs.statfs(folder)])
  return { usage, quota: usage + bavail * bsize }
}

/**
 * The worker of `opfsPersistence`, where OPFS gives sync access handles: its requests and answers are in opfs-messages.ts.
 * It is a file of its own in the package, `opfs-worker.js`.
 * @module
 */
import { Generations } from './generations.ts'
import { OpfsDisk } from './opfs-disk.ts'
import { OPFS_FOLDER, type OpfsAnswer, type OpfsRequest } from './opfs-messages.ts'
import { PersistenceError } from './persistence-error.ts'

let generations: Generations | undefined

self.addEventListener('message', (event: MessageEvent<OpfsRequest>) => {
  answer(event.data)
    .catch(failed)
    .then(post)
    .catch((error: unknown) => post(failed(error)))
})

function post(reply: OpfsAnswer): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has none
  self.postMessage(reply)
}

async function answer(request: OpfsRequest): Promise<OpfsAnswer> {
  if (request.op === 'open') return open(request.folder)
  if (!generations) throw new Error('the worker has no open folder')
  if (request.op === 'load') return { contents: await generations.load() }
  if (request.op === 'isWhole') return { isWhole: await generations.isWhole() }
  if (request.op === 'append') await generations.append(request.records)
  else if (request.op === 'replace') await generations.replace(request.snapshot, request.records)
  else await generations.close()
  return {}
}

async function open(name: string): Promise<OpfsAnswer> {
  const root = await findRoot()
  if (!root) return { unsupported: true }
  const find = async (): Promise<FileSystemDirectoryHandle> => {
    const all = await root.getDirectoryHandle(OPFS_FOLDER, { create: true })
    return all.getDirectoryHandle(name, { create: true })
  }
  generations = await Generations.open(await OpfsDisk.open(find))
  return { isEmpty: generations.isEmpty }
}

/** `undefined` where there is no OPFS or none that can be written in place: private windows of some browsers, older ones. */
async function findRoot(): Promise<FileSystemDirectoryHandle | undefined> {
  if (typeof FileSystemFileHandle === 'undefined') return undefined
  if (!('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return undefined
  try {
    return await navigator.storage.getDirectory()
  } catch (error) {
    if (error instanceof DOMException && error.name === 'SecurityError') return undefined
    throw error
  }
}

function failed(error: unknown): OpfsAnswer {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) }
  return { error: error instanceof PersistenceError ? { name, message, code: error.code } : { name, message } }
}

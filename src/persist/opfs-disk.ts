import type { Disk, DiskFile } from './disk.ts'

/** What a worker has and the types of a page don't say. */
interface SyncFileHandle {
  createSyncAccessHandle(): Promise<SyncAccessHandle>
}

interface SyncAccessHandle {
  getSize(): number
  read(bytes: Uint8Array, options: { at: number }): number
  write(bytes: Uint8Array, options: { at: number }): number
  truncate(size: number): void
  flush(): void
  close(): void
}

/** A worker that was killed with its tab holds its files for a moment longer. */
const RETRY_MS = 50
const RETRIES = 60

/** A folder of the origin private file system, in a worker. */
export class OpfsDisk implements Disk {
  readonly #find: () => Promise<FileSystemDirectoryHandle>
  #folder: FileSystemDirectoryHandle

  /** @param find gives the folder, and makes it where it is missing: it may be cleared under the session */
  static async open(find: () => Promise<FileSystemDirectoryHandle>): Promise<OpfsDisk> {
    return new OpfsDisk(find, await find())
  }

  private constructor(find: () => Promise<FileSystemDirectoryHandle>, folder: FileSystemDirectoryHandle) {
    this.#find = find
    this.#folder = folder
  }

  async list(): Promise<readonly string[]> {
    const names: string[] = []
    for await (const name of this.#folder.keys()) names.push(name)
    return names
  }

  async open(name: string): Promise<DiskFile> {
    const handle = await this.#file(name)
    if (!hasSyncAccess(handle)) throw new DOMException('there are no sync access handles here', 'NotSupportedError')
    for (let attempt = 0; ; attempt += 1) {
      try {
        return new OpfsFile(await handle.createSyncAccessHandle())
      } catch (error) {
        const isHeld = error instanceof DOMException && error.name === 'NoModificationAllowedError'
        if (!isHeld || attempt === RETRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  async sizeOf(name: string): Promise<number | undefined> {
    try {
      return (await (await this.#folder.getFileHandle(name)).getFile()).size
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async remove(name: string): Promise<void> {
    try {
      await this.#folder.removeEntry(name)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  sync(): void {
    // OPFS keeps its folders itself: there is nothing to flush.
  }

  /** A file of the folder, which is made again where it was cleared. */
  async #file(name: string): Promise<FileSystemFileHandle> {
    try {
      return await this.#folder.getFileHandle(name, { create: true })
    } catch (error) {
      if (!isNotFound(error)) throw error
      this.#folder = await this.#find()
      return this.#folder.getFileHandle(name, { create: true })
    }
  }
}

class OpfsFile implements DiskFile {
  readonly #handle: SyncAccessHandle

  constructor(handle: SyncAccessHandle) {
    this.#handle = handle
  }

  size(): number {
    return this.#handle.getSize()
  }

  read(from: number, to: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(to, this.#handle.getSize()) - from))
    return bytes.subarray(0, this.#handle.read(bytes, { at: from }))
  }

  write(bytes: Uint8Array, at: number): void {
    const written = this.#handle.write(bytes, { at })
    // A browser may also write what fits, and not throw.
    if (written < bytes.length) {
      throw new DOMException(`${written} of ${bytes.length} bytes fitted`, 'QuotaExceededError')
    }
  }

  truncate(size: number): void {
    this.#handle.truncate(size)
  }

  flush(): void {
    this.#handle.flush()
  }

  close(): void {
    this.#handle.close()
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotFoundError'
}

function hasSyncAccess(handle: FileSystemFileHandle): handle is FileSystemFileHandle & SyncFileHandle {
  return 'createSyncAccessHandle' in handle
}

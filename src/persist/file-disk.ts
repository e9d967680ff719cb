import type { FileHandle } from 'node:fs/promises'
import type { Disk, DiskFile } from './disk.ts'
import { nodeModules } from './file-node.ts'

/** A folder of Node's file system, which exists. */
export class FileDisk implements Disk {
  readonly #folder: string
  readonly #modules = nodeModules()

  constructor(folder: string) {
    this.#folder = folder
  }

  async list(): Promise<readonly string[]> {
    return this.#modules.fs.readdir(this.#folder)
  }

  async open(name: string): Promise<DiskFile> {
    const { fs } = this.#modules
    const path = this.#path(name)
    const { O_CREAT, O_RDWR } = fs.constants
    // The folder may be gone as well.
    await fs.mkdir(this.#folder, { recursive: true })
    return new NodeFile(await fs.open(path, O_RDWR | O_CREAT))
  }

  async sizeOf(name: string): Promise<number | undefined> {
    try {
      return (await this.#modules.fs.stat(this.#path(name))).size
    } catch (error) {
      if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return undefined
      throw error
    }
  }

  async remove(name: string): Promise<void> {
    await this.#modules.fs.rm(this.#path(name), { force: true })
  }

  async sync(): Promise<void> {
    // Windows opens no folders, and keeps their entries itself.
    if (process.platform === 'win32') return
    const folder = await this.#modules.fs.open(this.#folder, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  /** The bytes of all files in the folder. */
  async size(): Promise<number> {
    const names = await this.list()
    // Removed since it was listed: 0.
    const sizes = await Promise.all(names.map(async (name) => (await this.sizeOf(name)) ?? 0))
    return sizes.reduce((sum, size) => sum + size, 0)
  }

  #path(name: string): string {
    return this.#modules.path.join(this.#folder, name)
  }
}

class NodeFile implements DiskFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  async read(from: number, to: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(to, await this.size()) - from))
    let at = 0
    while (at < bytes.length) {
      const { bytesRead } = await this.#handle.read(bytes, at, bytes.length - at, from + at)
      if (bytesRead === 0) return bytes.subarray(0, at)
      at += bytesRead
    }
    return bytes
  }

  async write(bytes: Uint8Array, at: number): Promise<void> {
    let done = 0
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, at + done)
      done += bytesWritten
    }
  }

  async truncate(size: number): Promise<void> {
    await this.#handle.truncate(size)
  }

  async flush(): Promise<void> {
    await this.#handle.datasync()
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

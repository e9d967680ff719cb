import { FileError, fileError } from './file-error.ts'
import { FileLocks } from './file-locks.ts'
import { FileTree, pathOf } from './file-tree.ts'
import type { FileData, FileStat, OpfsFiles } from './opfs-files.ts'
import { pathNames } from './path.ts'
import { copyAt, namesIn, removeAt, writeAt } from './tree-changes.ts'
import { writeStream } from './write-stream.ts'

/** The files of an application in the origin private file system, in a folder of their own: `files` by default. */
export function opfsFiles(options: { readonly directory?: string | undefined } = {}): OpfsFiles {
  return new LockedFiles(options.directory ?? 'files')
}

class LockedFiles implements OpfsFiles {
  readonly #tree: FileTree
  readonly #locks: FileLocks

  constructor(directory: string) {
    const names = pathNames(directory)
    this.#tree = new FileTree(names)
    this.#locks = new FileLocks(`rowcast:files:${pathOf(names)}`)
  }

  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>
  readFile(path: string, encoding: 'utf8'): Promise<string>
  async readFile(path: string, encoding?: 'utf8'): Promise<Uint8Array<ArrayBuffer> | string> {
    const names = pathNames(path)
    return this.#locks.file(names, 'shared', async () => {
      const file = await (await this.#tree.file(names)).getFile()
      return encoding ? file.text() : new Uint8Array(await file.arrayBuffer())
    })
  }

  async writeFile(path: string, data: FileData): Promise<void> {
    const names = pathNames(path)
    await this.#locks.file(names, 'exclusive', async () => writeAt(this.#tree, names, data, { append: false }))
  }

  async appendFile(path: string, data: FileData): Promise<void> {
    const names = pathNames(path)
    await this.#locks.file(names, 'exclusive', async () => writeAt(this.#tree, names, data, { append: true }))
  }

  async mkdir(path: string, { recursive = false }: { recursive?: boolean } = {}): Promise<void> {
    const names = pathNames(path)
    await this.#locks.folders(names, async () => {
      if (!recursive) {
        if (await this.#tree.find(names)) throw new FileError('EEXIST', pathOf(names), 'it is already there')
        await this.#tree.folder(names.slice(0, -1))
      }
      await this.#tree.folder(names, true)
    })
  }

  async readdir(path: string): Promise<string[]> {
    return namesIn(await this.#tree.folder(pathNames(path)))
  }

  async stat(path: string): Promise<FileStat> {
    const names = pathNames(path)
    const found = await this.#tree.find(names)
    if (!found) throw missing(names)
    if (found.kind === 'directory') return { kind: 'directory', size: 0, mtimeMs: undefined }
    const file = await found.getFile().catch((error: unknown) => {
      throw fileError(error, pathOf(names))
    })
    return { kind: 'file', size: file.size, mtimeMs: file.lastModified }
  }

  async exists(path: string): Promise<boolean> {
    return (await this.#tree.find(pathNames(path))) !== undefined
  }

  async rename(from: string, to: string): Promise<void> {
    const [source, target] = [pathNames(from), pathNames(to)]
    await this.#locks.folders(source, async () => {
      const found = await this.#tree.find(source)
      if (!found) throw missing(source)
      if (pathOf(source) === pathOf(target)) return
      if (source.every((name, depth) => target[depth] === name)) {
        throw new FileError('EINVAL', pathOf(target), `it lies within ${pathOf(source)}, which is to be moved`)
      }
      const there = await this.#tree.find(target)
      if (there?.kind === 'directory') throw new FileError('EEXIST', pathOf(target), 'a folder is already there')
      if (there && found.kind === 'directory') throw new FileError('ENOTDIR', pathOf(target), 'a file is already there')
      await this.#tree.folder(target.slice(0, -1))
      await copyAt(this.#tree, source, target)
      await removeAt(this.#tree, source)
    })
  }

  async rm(path: string, { recursive = false, force = false }: { recursive?: boolean; force?: boolean } = {}) {
    const names = pathNames(path)
    await this.#locks.folders(names, async () => {
      const found = await this.#tree.find(names)
      if (!found) {
        if (force) return
        throw missing(names)
      }
      if (found.kind === 'directory' && !recursive) {
        throw new FileError('EISDIR', pathOf(names), 'it is a folder: pass `recursive` to remove it and all in it')
      }
      await removeAt(this.#tree, names)
    })
  }

  async readStream(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const names = pathNames(path)
    return (await (await this.#tree.file(names)).getFile()).stream()
  }

  async writeStream(path: string): Promise<WritableStream<FileData>> {
    const names = pathNames(path)
    const release = await this.#locks.take(names)
    try {
      return writeStream(await (await this.#tree.file(names, true)).createWritable(), names, release)
    } catch (error) {
      release()
      throw fileError(error, pathOf(names))
    }
  }
}

function missing(names: readonly string[]): FileError {
  return new FileError('ENOENT', pathOf(names), 'there is no such file or folder')
}

import { FileError, fileError } from './file-error.ts'

/** The folders and files of OPFS under one folder, by the names of a path. */
export class FileTree {
  readonly #directory: readonly string[]

  constructor(directory: readonly string[]) {
    this.#directory = directory
  }

  /** The folder at a path, with `create` made with all above it. */
  async folder(names: readonly string[], create = false): Promise<FileSystemDirectoryHandle> {
    let folder = await rootFolder()
    for (const name of this.#directory) folder = await folder.getDirectoryHandle(name, { create: true })
    for (const [depth, name] of names.entries()) {
      const path = pathOf(names.slice(0, depth + 1))
      try {
        folder = await folder.getDirectoryHandle(name, { create })
      } catch (error) {
        if (isMismatch(error)) throw new FileError('ENOTDIR', path, 'it is a file, not a folder', { cause: error })
        throw invalidName(error, path)
      }
    }
    return folder
  }

  /** The file at a path, with `create` made in a folder that exists. */
  async file(names: readonly string[], create = false): Promise<FileSystemFileHandle> {
    const path = pathOf(names)
    const name = names.at(-1)
    if (name === undefined) throw new FileError('EISDIR', path, 'it is a folder, not a file')
    const folder = await this.folder(names.slice(0, -1))
    try {
      return await folder.getFileHandle(name, { create })
    } catch (error) {
      if (isMismatch(error)) throw new FileError('EISDIR', path, 'it is a folder, not a file', { cause: error })
      throw invalidName(error, path)
    }
  }

  /** What is at a path, `undefined` where nothing is. */
  async find(names: readonly string[]): Promise<FileSystemDirectoryHandle | FileSystemFileHandle | undefined> {
    try {
      return await this.file(names)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      if (error.code === 'EISDIR') return this.folder(names)
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw error
    }
  }
}

export function pathOf(names: readonly string[]): string {
  return `/${names.join('/')}`
}

async function rootFolder(): Promise<FileSystemDirectoryHandle> {
  if (typeof navigator === 'undefined' || !navigator.storage?.getDirectory || !navigator.locks) {
    throw new FileError('ENOSYS', '/', 'there is no origin private file system here: it needs HTTPS, or localhost')
  }
  return navigator.storage.getDirectory()
}

function isMismatch(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TypeMismatchError'
}

/** A name that OPFS does not take is a TypeError. */
function invalidName(error: unknown, path: string): unknown {
  if (error instanceof TypeError) return new FileError('EINVAL', path, error.message, { cause: error })
  return fileError(error, path)
}

import { fileError } from './file-error.ts'
import { pathOf } from './file-tree.ts'

/** The Web Locks of a tree of files, shared by all tabs and workers. What fails under one is given as `FileError`. */
export class FileLocks {
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  /** For work on one file, in the order of the calls: no rename or removal meanwhile. */
  file<T>(names: readonly string[], mode: LockMode, work: () => Promise<T>): Promise<T> {
    const own = `${this.#name}:${pathOf(names)}`
    // Locks are requested in order, and not told in order where several are granted at once: the file's own comes first.
    return underLock(own, mode, () => underLock(this.#name, 'shared', work)).catch((error: unknown) => {
      throw fileError(error, pathOf(names))
    })
  }

  /** For work on folders: nothing else meanwhile. */
  folders<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    return underLock(this.#name, 'exclusive', work).catch((error: unknown) => {
      throw fileError(error, pathOf(names))
    })
  }

  /** The locks of a writer, until what it gives is called. */
  take(names: readonly string[]): Promise<() => void> {
    return new Promise((resolve, reject) => {
      this.file(names, 'exclusive', () => new Promise<void>((release) => resolve(release))).catch(reject)
    })
  }
}

let firstAnswer: Promise<unknown> | undefined

async function underLock<T>(lock: string, mode: LockMode, work: () => Promise<T>): Promise<T> {
  // Without locks there are no files either: the work says so.
  if (typeof navigator === 'undefined' || !navigator.locks) return work()
  // Chromium asks once per page whether locks are allowed, and lets what is requested right after the answer overtake what
  // was requested before it. What fails here fails below, and is told there.
  firstAnswer ??= navigator.locks.query().catch(() => undefined)
  await firstAnswer
  return navigator.locks.request(lock, { mode }, work)
}

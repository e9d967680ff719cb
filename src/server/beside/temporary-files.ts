import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RowcastError } from '../../errors/index.ts'
import { lockDirectory } from '../lock-directory.ts'

const PREFIX = 'rowcast-server-'
/** A folder is locked as soon as it is made: one that isn't after so long has nobody. */
const SETTLED_MS = 60_000

/**
 * Files that a server makes for a while: in a folder of its own among the system's temporary ones, which goes with it. It
 * is locked for as long as its process runs; what one that was killed has left there is removed by the next one.
 */
export class TemporaryFiles {
  readonly #parent: string
  #folder: { readonly path: string; readonly unlock: () => void } | undefined

  constructor(parent: string = tmpdir()) {
    this.#parent = parent
  }

  /** A path where no file is yet. */
  path(): string {
    this.#folder ??= this.#open()
    return join(this.#folder.path, `${randomUUID()}.db`)
  }

  /** Removes a file, if it is there. */
  async remove(path: string): Promise<void> {
    await rm(path, { force: true })
  }

  async close(): Promise<void> {
    const folder = this.#folder
    this.#folder = undefined
    if (!folder) return
    folder.unlock()
    await rm(folder.path, { recursive: true, force: true })
  }

  #open(): { readonly path: string; readonly unlock: () => void } {
    sweep(this.#parent)
    const path = join(this.#parent, `${PREFIX}${process.pid}-${randomUUID()}`)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return { path, unlock: lockDirectory(path) }
  }
}

function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const path = join(parent, name)
    if (name.startsWith(PREFIX) && isLeft(path)) rmSync(path, { recursive: true, force: true })
  }
}

/** Whether a folder is nobody's any more. A number of a process does not tell: another container has the same ones. */
function isLeft(path: string): boolean {
  const made = statSync(path, { throwIfNoEntry: false })
  if (!made?.isDirectory() || Date.now() - made.mtimeMs < SETTLED_MS) return false
  try {
    lockDirectory(path)()
    return true
  } catch (error) {
    // It is another server's, or another user's.
    if (error instanceof RowcastError || (error instanceof Error && 'code' in error)) return false
    throw error
  }
}

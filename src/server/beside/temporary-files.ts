import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const FOLDER = /^rowcast-server-(\d+)-/

/**
 * Files that a server makes for a while: in a folder of its own among the system's temporary ones, which goes with it.
 * What a process that was killed has left there is removed by the next one.
 */
export class TemporaryFiles {
  readonly #parent: string
  #folder: string | undefined

  constructor(parent: string = tmpdir()) {
    this.#parent = parent
  }

  /** A path where no file is yet. */
  path(): string {
    if (this.#folder === undefined) {
      sweep(this.#parent)
      this.#folder = join(this.#parent, `rowcast-server-${process.pid}-${randomUUID()}`)
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    }
    return join(this.#folder, `${randomUUID()}.db`)
  }

  /** Removes a file, if it is there. */
  async remove(path: string): Promise<void> {
    await rm(path, { force: true })
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true })
    this.#folder = undefined
  }
}

function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = FOLDER.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(parent, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // There is one that is somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

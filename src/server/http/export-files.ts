import { strict as assert } from 'node:assert'
import { open, rm, type FileHandle } from 'node:fs/promises'
import type { Place, Point } from '../history.ts'
import type { LiveDatabase } from '../live-database.ts'
import type { Ongoing } from './ongoing.ts'

const FILES = 8
const BYTES = 1024 * 1024 * 1024
/** Of one read. */
const CHUNK = 256 * 1024

/** A database as a file on the disk, which is gone once nobody reads it and nobody keeps it. */
export class ExportFile {
  readonly size: number
  /** Of its bytes, quoted: files of the same tag are the same byte for byte. */
  readonly etag: string
  /** Where it is in the history. */
  readonly point: Point
  readonly #handle: FileHandle
  readonly #remove: () => Promise<void>
  #uses = 1

  private constructor(
    made: Pick<ExportFile, 'size' | 'etag' | 'point'>,
    handle: FileHandle,
    remove: () => Promise<void>,
  ) {
    this.size = made.size
    this.etag = made.etag
    this.point = made.point
    this.#handle = handle
    this.#remove = remove
  }

  /** Makes the file of a state. Throws NotFoundError for a state that there isn't. */
  static async make(database: LiveDatabase, at: Place, ongoing: Ongoing): Promise<ExportFile> {
    const { path, size, sha256, point } = await database.export(at, ongoing)
    const handle = await open(path, 'r')
    const made = { size, point, etag: `"${sha256.slice(0, 32)}"` }
    return new ExportFile(made, handle, () => rm(path, { force: true }))
  }

  /** Keeps it there until `release`. */
  use(): this {
    this.#uses++
    return this
  }

  async release(): Promise<void> {
    if (--this.#uses > 0) return
    await this.#handle.close()
    await this.#remove()
  }

  /** Bytes of it, from the first to the last: many are read as fast as they are taken, and use the file until they are. */
  async read(first: number, last: number): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>> {
    const length = last + 1 - first
    return length <= CHUNK ? this.#chunk(first, length) : this.#stream(first, last)
  }

  async #chunk(at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const { buffer, bytesRead } = await this.#handle.read(new Uint8Array(length), 0, length, at)
    assert(bytesRead === length, 'the file of an export has the size that it had')
    return buffer
  }

  #stream(first: number, last: number): ReadableStream<Uint8Array> {
    this.use()
    let at = first
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            const chunk = await this.#chunk(at, Math.min(CHUNK, last + 1 - at))
            controller.enqueue(chunk)
            at += chunk.length
            if (at <= last) return
            controller.close()
          } catch (error) {
            controller.error(error)
          }
          await this.release()
        },
        cancel: () => this.release(),
      },
      { highWaterMark: 0 },
    )
  }
}

/** A file that is being made, for whoever asks for it meanwhile. */
interface Making {
  readonly file: Promise<ExportFile>
  readonly progress: Set<Ongoing['progress']>
  readonly abort: AbortController
}

/** Makes files to be fetched, and keeps the last few: one that is read in ranges is made once. */
export class ExportFiles {
  readonly #kept = new Map<string, ExportFile>()
  readonly #making = new Map<string, Making>()
  #closed = false

  /**
   * The file of a state, of the newest without `at`, to be released by the caller. Throws NotFoundError for a state that
   * there isn't.
   */
  async get(database: LiveDatabase, at: number | undefined, ongoing: Ongoing): Promise<ExportFile> {
    const place = await database.run(() => database.placeAt(at))
    const name = nameOf(database, place)
    const known = this.#kept.get(name)
    if (!known) return this.#wait(this.#making.get(name) ?? this.#make(name, database, place), ongoing)
    this.#kept.delete(name)
    this.#kept.set(name, known)
    return known.use()
  }

  async close(): Promise<void> {
    this.#closed = true
    const kept = [...this.#kept.values()]
    this.#kept.clear()
    await Promise.all(kept.map((file) => file.release()))
  }

  #make(name: string, database: LiveDatabase, place: Place): Making {
    const abort = new AbortController()
    const progress: Making['progress'] = new Set()
    const tell: Ongoing['progress'] = (how) => progress.forEach((one) => one(how))
    const file = ExportFile.make(database, place, { signal: abort.signal, progress: tell })
      .then(async (made) => {
        await this.#keep(name, made)
        return made
      })
      .finally(() => this.#making.delete(name))
    const making = { file, progress, abort }
    this.#making.set(name, making)
    return making
  }

  /** Once the last of those who wait has gone, it is given up. */
  async #wait({ file, progress, abort }: Making, ongoing: Ongoing): Promise<ExportFile> {
    const { signal } = ongoing
    const mine: Ongoing['progress'] = (how) => ongoing.progress(how)
    const leave = (): void => {
      progress.delete(mine)
      if (progress.size === 0) abort.abort(signal.reason)
    }
    progress.add(mine)
    signal.addEventListener('abort', leave, { once: true })
    try {
      return (await file).use()
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  async #keep(name: string, file: ExportFile): Promise<void> {
    if (!this.#closed) this.#kept.set(name, file)
    let bytes = 0
    for (const one of this.#kept.values()) bytes += one.size
    for (const [oldest, one] of this.#kept) {
      if ((this.#kept.size <= FILES && bytes <= BYTES) || one === file) return
      this.#kept.delete(oldest)
      bytes -= one.size
      await one.release()
    }
  }
}

/** Another one where a database was deleted and made again, or put back. */
function nameOf(database: LiveDatabase, { sequence, digest }: Place): string {
  return `${database.name}/${database.incarnation}/${sequence}/${digest}`
}

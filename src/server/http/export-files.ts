import { createHash } from 'node:crypto'
import { internals } from '../../store/index.ts'
import type { Point } from '../history.ts'
import type { LiveDatabase } from '../live-database.ts'
import { publicFile } from './public-file.ts'

/** A database as a file. */
export interface ExportFile {
  readonly bytes: Uint8Array
  /** Of its bytes, quoted: files of the same tag are the same byte for byte. */
  readonly etag: string
  readonly sequence: number
  /** Where it is in the history; `undefined` where the log no longer tells. */
  readonly point: Point | undefined
}

const FILES = 4
const BYTES = 64 * 1024 * 1024

/** Makes files to be fetched, and keeps the last few: one that is read in ranges is made once. */
export class ExportFiles {
  readonly #kept = new Map<string, ExportFile>()

  /** The file of a state, of the newest without `at`. Throws NotFoundError for a state that there isn't. */
  async get(database: LiveDatabase, at: number | undefined): Promise<ExportFile> {
    const { sequence, place, point, known, current } = await database.run(async () => {
      const sequence = at ?? database.sequence
      const point = await database.pointAt(sequence)
      const place = placeOf(database, sequence, point)
      const known = this.#kept.get(place)
      const current = known || sequence !== database.sequence ? undefined : internals(database.store).exportFile()
      return { sequence, place, point, known, current }
    })
    const file = known ?? { ...(await toFile(current ?? (await database.fileAt(sequence)))), sequence, point }
    this.#keep(place, file)
    return file
  }

  #keep(place: string, file: ExportFile): void {
    this.#kept.delete(place)
    if (file.bytes.length > BYTES) return
    this.#kept.set(place, file)
    let bytes = 0
    for (const one of this.#kept.values()) bytes += one.bytes.length
    for (const [oldest, one] of this.#kept) {
      if (this.#kept.size <= FILES && bytes <= BYTES) return
      this.#kept.delete(oldest)
      bytes -= one.bytes.length
    }
  }
}

/** Another one where a database was deleted and made again, or put back. */
function placeOf(database: LiveDatabase, sequence: number, point: Point | undefined): string {
  return `${database.name}/${database.incarnation}/${sequence}/${point?.digest}`
}

async function toFile(bytes: Uint8Array): Promise<Pick<ExportFile, 'bytes' | 'etag'>> {
  const file = await publicFile(bytes)
  return { bytes: file, etag: `"${createHash('sha256').update(file).digest('base64url').slice(0, 32)}"` }
}

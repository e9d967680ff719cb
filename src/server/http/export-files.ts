import { createHash } from 'node:crypto'
import { internals } from '../../store/index.ts'
import type { LiveDatabase } from '../live-database.ts'
import { publicFile } from './public-file.ts'

/** A database as a file. */
export interface ExportFile {
  readonly bytes: Uint8Array
  /** Of its bytes, quoted: files of the same tag are the same byte for byte. */
  readonly etag: string
  readonly sequence: number
}

const FILES = 4
const BYTES = 64 * 1024 * 1024

/** Makes files to be fetched, and keeps the last few: one that is read in ranges is made once. */
export class ExportFiles {
  readonly #kept = new Map<string, ExportFile>()

  /** The file of a state, of the newest without `at`. Throws NotFoundError for a state that there isn't. */
  async get(database: LiveDatabase, at: number | undefined): Promise<ExportFile> {
    const { sequence, known, current } = await database.run(() => {
      const sequence = at ?? database.sequence
      const known = this.#kept.get(placeOf(database, sequence))
      return {
        sequence,
        known,
        current: known || sequence !== database.sequence ? undefined : internals(database.store).exportFile(),
      }
    })
    const place = placeOf(database, sequence)
    const file = known ?? (await toFile(current ?? (await database.fileAt(sequence)), sequence))
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

/** Another one where a database was deleted and made again. */
function placeOf(database: LiveDatabase, sequence: number): string {
  return `${database.name}/${database.incarnation}/${sequence}`
}

async function toFile(bytes: Uint8Array, sequence: number): Promise<ExportFile> {
  const file = await publicFile(bytes)
  return { bytes: file, sequence, etag: `"${createHash('sha256').update(file).digest('base64url').slice(0, 32)}"` }
}

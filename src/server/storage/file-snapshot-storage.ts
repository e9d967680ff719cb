import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { snapshotInfo, type NewSnapshot, type SnapshotInfo, type SnapshotStorage } from '../snapshot-storage.ts'
import { makeDirectory, namesIn, syncDirectory, tidyDirectory, writeDurably } from './durable-files.ts'
import type { FileStorageOptions } from './file-log-storage.ts'
import { assertDatabaseName, assertSequence } from '../names.ts'
import { findSnapshot, type Manifest, readManifest, readSequences } from './snapshot-manifest.ts'
import { sweepStrays } from './sweep-strays.ts'

/**
 * Snapshots on this machine's disk, in `<directory>/<database>/snapshots`: the bytes as `<sequence>.<id>.db`, which any
 * tool for SQLite opens, and beside them `<sequence>.json` with the label, the time and which `.db` file it is. The
 * `.json` file is put in place last and at once, so that a snapshot is there whole, as it was before, or not at all.
 *
 * Each call throws RowcastError for a database's name (`database-name`) or a number (`sequence`) that is none.
 */
export function fileSnapshotStorage(options: FileStorageOptions): SnapshotStorage {
  return new FileSnapshotStorage(options.directory)
}

class FileSnapshotStorage implements SnapshotStorage {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async put(database: string, snapshot: NewSnapshot, bytes: Uint8Array): Promise<void> {
    const { sequence } = snapshot
    const folder = this.#folder(database)
    assertSequence(sequence, 'the number of the snapshot')
    await makeDirectory(folder)
    const id = randomUUID()
    const manifest: Manifest = {
      ...snapshotInfo(snapshot, bytes.length),
      file: `${sequence}.${id}.db`,
    }
    const written = join(folder, `${sequence}.${id}.new`)
    const replaced = await readManifest(folder, sequence)
    try {
      await writeDurably(join(folder, manifest.file), bytes)
      await writeDurably(written, JSON.stringify(manifest))
      // Before the rename, which must not outlive a power cut that the file it names does not.
      await syncDirectory(folder)
      await rename(written, join(folder, `${sequence}.json`))
    } catch (error) {
      await rm(written, { force: true })
      await rm(join(folder, manifest.file), { force: true })
      throw error
    }
    await syncDirectory(folder)
    if (replaced) await rm(join(folder, replaced.file), { force: true })
    await sweepStrays(folder)
  }

  async get(database: string, sequence: number): Promise<Uint8Array | undefined> {
    const folder = this.#folder(database)
    assertSequence(sequence, 'the number of the snapshot')
    const snapshot = await findSnapshot(folder, sequence, (path) => readFile(path))
    if (!snapshot || snapshot.found.length !== snapshot.manifest.size) return undefined
    return plain(snapshot.found)
  }

  async list(database: string): Promise<readonly SnapshotInfo[]> {
    const folder = this.#folder(database)
    const infos = await Promise.all(
      (await readSequences(folder)).map(async (sequence) => {
        const snapshot = await findSnapshot(folder, sequence, (path) => stat(path))
        if (!snapshot || snapshot.found.size !== snapshot.manifest.size) return undefined
        const { file: _file, ...info } = snapshot.manifest
        return info
      }),
    )
    return infos.filter((info) => info !== undefined)
  }

  async delete(database: string, sequence?: number): Promise<void> {
    const folder = this.#folder(database)
    if (sequence === undefined) {
      await rm(folder, { recursive: true, force: true })
    } else {
      assertSequence(sequence, 'the number of the snapshot')
      const names = (await namesIn(folder)).filter((name) => name.startsWith(`${sequence}.`))
      // The manifest first: without it the rest is no snapshot.
      await rm(join(folder, `${sequence}.json`), { force: true })
      await Promise.all(names.map((name) => rm(join(folder, name), { force: true })))
      await tidyDirectory(folder)
    }
    await tidyDirectory(join(this.#directory, database))
  }

  #folder(database: string): string {
    assertDatabaseName(database)
    return join(this.#directory, database, 'snapshots')
  }
}

/** Not a Buffer, whose `slice` shares memory. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

import { randomUUID } from 'node:crypto'
import { RowcastError } from '../../errors/index.ts'
import { snapshotInfo, type NewSnapshot, type SnapshotInfo, type SnapshotStorage } from '../snapshot-storage.ts'
import { assertDatabaseName, assertSequence } from '../names.ts'
import type { ObjectStore } from './object-store.ts'
import { sha256 } from './sha256.ts'
import { sortableNumber } from './sortable-number.ts'

/** What `<sequence>.json` holds. */
interface Manifest extends SnapshotInfo {
  /** The key of the object with the bytes, beside the manifest. */
  readonly object: string
  /** Of the bytes, SHA-256. */
  readonly sha256: string
}

/**
 * Snapshots in a bucket: `<prefix>/databases/<database>/snapshots/<sequence>.<id>.db`, which any tool for SQLite opens, and
 * `<sequence>.json` with the rest, written last: a snapshot is there whole, as it was before, or not at all.
 *
 * Each call throws RowcastError for a database's name (`database-name`) or a number (`sequence`) that is none, and
 * BucketError.
 */
export function bucketSnapshotStorage(store: ObjectStore): SnapshotStorage {
  return new BucketSnapshotStorage(store)
}

class BucketSnapshotStorage implements SnapshotStorage {
  readonly #store: ObjectStore

  constructor(store: ObjectStore) {
    this.#store = store
  }

  async put(database: string, snapshot: NewSnapshot, bytes: Uint8Array): Promise<void> {
    const { sequence } = snapshot
    const key = keyOf(database, sequence)
    const manifest: Manifest = {
      ...snapshotInfo(snapshot, bytes.length),
      object: `${key}.${randomUUID()}.db`,
      sha256: sha256(bytes),
    }
    const replaced = await this.#manifest(database, sequence)
    await this.#store.put(manifest.object, bytes)
    await this.#store.put(`${key}.json`, new TextEncoder().encode(JSON.stringify(manifest)))
    if (replaced) await this.#store.delete([replaced.object])
  }

  async get(database: string, sequence: number): Promise<Uint8Array | undefined> {
    let missed: string | undefined
    while (true) {
      const manifest = await this.#manifest(database, sequence)
      if (!manifest || manifest.object === missed) return undefined
      const bytes = await this.#store.get(manifest.object)
      if (bytes) {
        if (bytes.length === manifest.size && sha256(bytes) === manifest.sha256) return bytes
        throw new RowcastError(
          'snapshot-damaged',
          `snapshot ${sequence} of '${database}' is not as it was written (${this.#store.address}${manifest.object}): an older one and the log are taken where they lead as far; restore that object, or delete it with its .json`,
        )
      }
      // Where it was replaced between the two reads, the manifest names another object by now.
      missed = manifest.object
    }
  }

  async list(database: string): Promise<readonly SnapshotInfo[]> {
    const sequences: number[] = []
    const objects = new Set<string>()
    for await (const { key } of this.#store.list(folderOf(database))) {
      const digits = /\/(\d+)\.json$/.exec(key)?.[1]
      if (digits === undefined) objects.add(key)
      else sequences.push(Number(digits))
    }
    const infos: SnapshotInfo[] = []
    for (const sequence of sequences) {
      const manifest = await this.#manifest(database, sequence)
      if (!manifest) continue
      const { object: _object, sha256: _sha256, ...info } = manifest
      infos.push(info)
    }
    return infos
  }

  async delete(database: string, sequence?: number): Promise<void> {
    const prefix = sequence === undefined ? folderOf(database) : `${keyOf(database, sequence)}.`
    const keys: string[] = []
    for await (const { key } of this.#store.list(prefix)) keys.push(key)
    // The manifests first: without them the rest is no snapshot.
    await this.#store.delete(keys.filter((key) => key.endsWith('.json')))
    await this.#store.delete(keys.filter((key) => !key.endsWith('.json')))
  }

  async #manifest(database: string, sequence: number): Promise<Manifest | undefined> {
    const bytes = await this.#store.get(`${keyOf(database, sequence)}.json`)
    if (!bytes) return undefined
    try {
      return JSON.parse(new TextDecoder().decode(bytes)) as Manifest
    } catch (cause) {
      throw new RowcastError(
        'snapshot-damaged',
        `snapshot ${sequence} of '${database}' is not as it was written (${this.#store.address}${keyOf(database, sequence)}.json): restore that object, or delete it, and an older snapshot and the log are taken`,
        { cause },
      )
    }
  }
}

function folderOf(database: string): string {
  assertDatabaseName(database)
  return `databases/${database}/snapshots/`
}

function keyOf(database: string, sequence: number): string {
  assertSequence(sequence, 'the number of the snapshot')
  return `${folderOf(database)}${sortableNumber(sequence)}`
}

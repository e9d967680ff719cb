import type { NewSnapshot, SnapshotInfo, SnapshotStorage } from '../snapshot-storage.ts'
import { assertDatabaseName, assertSequence } from './names.ts'

interface Kept {
  readonly info: SnapshotInfo
  readonly bytes: Uint8Array
}

/** Snapshots that are gone with the process, for tests and first steps. It keeps the contract but for durability. */
export function memorySnapshotStorage(): SnapshotStorage {
  return new MemorySnapshotStorage()
}

class MemorySnapshotStorage implements SnapshotStorage {
  readonly #databases = new Map<string, Map<number, Kept>>()

  async put(database: string, snapshot: NewSnapshot, bytes: Uint8Array): Promise<void> {
    assertDatabaseName(database)
    const { sequence, label, digest, at } = snapshot
    assertSequence(sequence, 'the number of the snapshot')
    const info = {
      sequence,
      ...(label === undefined ? {} : { label }),
      ...(digest === undefined ? {} : { digest }),
      at,
      size: bytes.length,
    }
    const snapshots = this.#databases.get(database) ?? new Map<number, Kept>()
    snapshots.set(sequence, { info, bytes: new Uint8Array(bytes) })
    this.#databases.set(database, snapshots)
  }

  async get(database: string, sequence: number): Promise<Uint8Array | undefined> {
    assertDatabaseName(database)
    assertSequence(sequence, 'the number of the snapshot')
    const bytes = this.#databases.get(database)?.get(sequence)?.bytes
    return bytes && new Uint8Array(bytes)
  }

  async list(database: string): Promise<readonly SnapshotInfo[]> {
    assertDatabaseName(database)
    const snapshots = [...(this.#databases.get(database)?.values() ?? [])]
    return snapshots.map(({ info }) => info).toSorted((a, b) => a.sequence - b.sequence)
  }

  async delete(database: string, sequence?: number): Promise<void> {
    assertDatabaseName(database)
    if (sequence === undefined) {
      this.#databases.delete(database)
    } else {
      assertSequence(sequence, 'the number of the snapshot')
      this.#databases.get(database)?.delete(sequence)
    }
  }
}

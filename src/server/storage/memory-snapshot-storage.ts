import { setImmediate as immediate } from 'node:timers/promises'
import { snapshotInfo, type NewSnapshot, type SnapshotInfo, type SnapshotStorage } from '../snapshot-storage.ts'
import { assertDatabaseName, assertSequence } from '../names.ts'

const CHUNK = 4 * 1024 * 1024

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
    const { sequence } = snapshot
    assertSequence(sequence, 'the number of the snapshot')
    const info = snapshotInfo(snapshot, bytes.length)
    const snapshots = this.#databases.get(database) ?? new Map<number, Kept>()
    snapshots.set(sequence, { info, bytes: await copyOf(bytes) })
    this.#databases.set(database, snapshots)
  }

  async get(database: string, sequence: number): Promise<Uint8Array | undefined> {
    assertDatabaseName(database)
    assertSequence(sequence, 'the number of the snapshot')
    const bytes = this.#databases.get(database)?.get(sequence)?.bytes
    return bytes && copyOf(bytes)
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

/** A copy, with a turn for others in between where it is large. */
async function copyOf(bytes: Uint8Array): Promise<Uint8Array> {
  const copy = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; at += CHUNK) {
    if (at > 0) await immediate()
    copy.set(bytes.subarray(at, at + CHUNK), at)
  }
  return copy
}

import type { LogStorage } from './log.ts'
import type { SnapshotStorage } from './snapshot-storage.ts'
import { fileLogStorage, fileSnapshotStorage, memoryLogStorage, memorySnapshotStorage } from './storage/index.ts'

/** Where a server keeps its logs and its snapshots: the option `storage` of `createServer`. */
export interface Storage {
  readonly logs: LogStorage
  readonly snapshots: SnapshotStorage
}

/** Both in one directory of this machine, made if missing: what was acknowledged survives a power cut. */
export function fileStorage(directory: string): Storage {
  return { logs: fileLogStorage({ directory }), snapshots: fileSnapshotStorage({ directory }) }
}

/** Both in memory, gone with the process: for tests and first steps. */
export function memoryStorage(): Storage {
  return { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() }
}

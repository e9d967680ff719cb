/**
 * storage: where a server keeps its logs and snapshots, on this machine's disk or in memory. Imports src/errors, Node,
 * and of the server only the contracts beside this folder (`log.ts`, `log-errors.ts`, `names.ts`, `snapshot-storage.ts`).
 * @module
 */
export { fileLogStorage, type FileStorageOptions } from './file-log-storage.ts'
export { fileSnapshotStorage } from './file-snapshot-storage.ts'
export { memoryLogStorage } from './memory-log-storage.ts'
export { memorySnapshotStorage } from './memory-snapshot-storage.ts'

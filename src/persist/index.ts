/**
 * persist: where a store keeps its confirmed base and its pending transactions, so that it reopens offline: OPFS,
 * IndexedDB, or a folder. Imports src/errors and `idb`; node's modules are looked up when a folder is opened, so that
 * bundles for browsers don't see them.
 * @module
 */
export { FileError, type FileErrorCode } from './files/file-error.ts'
export { opfsFiles } from './files/locked-files.ts'
export type { FileData, FileStat, OpfsFiles } from './files/opfs-files.ts'
export { filePersistence, type FilePersistenceOptions } from './file-persistence.ts'
export { forget } from './forget.ts'
export { indexedDbPersistence, type BrowserPersistenceOptions } from './indexed-db-persistence.ts'
export type { WaitOptions } from './open-wait.ts'
export { opfsPersistence, type OpfsPersistenceOptions } from './opfs-persistence.ts'
export { PersistenceError, type PersistenceErrorCode } from './persistence-error.ts'
export type {
  Damage,
  PersistedContents,
  Persistence,
  PersistenceSession,
  QuotaEstimate,
  QuotaOptions,
} from './persistence.ts'

import type { LoadedContents } from './medium.ts'
import type { PersistenceErrorCode } from './persistence-error.ts'

/** The folder of the origin that has a folder for each store. */
export const OPFS_FOLDER = '.rowcast'

/** What the page asks of its worker: one thing at a time, each with an answer. */
export type OpfsRequest =
  | { readonly op: 'open'; readonly folder: string }
  | { readonly op: 'load' }
  | { readonly op: 'isWhole' }
  | { readonly op: 'append'; readonly records: readonly Uint8Array[] }
  | { readonly op: 'replace'; readonly snapshot: Uint8Array | undefined; readonly records: readonly Uint8Array[] }
  | { readonly op: 'close' }

/** What the worker answers. Of an error only what `storageFailure` looks at: a class does not survive the way. */
export type OpfsAnswer =
  | { readonly contents?: LoadedContents }
  | { readonly isWhole: boolean }
  /** Of an open: whether nothing is kept there yet. */
  | { readonly isEmpty: boolean }
  /** There is no OPFS here, or no sync access handles. */
  | { readonly unsupported: true }
  | { readonly error: { readonly name: string; readonly message: string; readonly code?: PersistenceErrorCode } }

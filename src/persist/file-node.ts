import type * as fsModule from 'node:fs/promises'
import type * as pathModule from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { PersistenceError } from './persistence-error.ts'

interface NodeModules {
  readonly fs: typeof fsModule
  readonly path: typeof pathModule
  readonly sqlite: { readonly DatabaseSync: new (file: string) => DatabaseSync }
}

/** Node's modules, not imported, so that a bundler for browsers finds nothing of them in `rowcast/persist`. */
export function nodeModules(): NodeModules {
  const node = typeof process === 'undefined' ? undefined : process
  const fs = node?.getBuiltinModule?.('node:fs/promises')
  const path = node?.getBuiltinModule?.('node:path')
  const sqlite = node?.getBuiltinModule?.('node:sqlite') as NodeModules['sqlite'] | undefined
  if (fs && path && sqlite) return { fs, path, sqlite }
  throw new PersistenceError(
    'persistence-unavailable',
    'filePersistence needs Node 22.13 or newer: in a browser use opfsPersistence or indexedDbPersistence',
  )
}

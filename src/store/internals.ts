import type { ChangeSet } from '../changes/index.ts'
import { TransactionError } from '../errors/index.ts'
import type { Store } from './api.ts'
import { applyBase } from './apply-base.ts'
import type { Engine } from './engine.ts'
import { encodeChanges } from './rows/encode-changes.ts'
import { StoreHandle } from './store-handle.ts'

/** What the sync client and the tests of the layers need of a store, and applications don't. */
export interface StoreInternals {
  readonly engine: Engine
  /** Takes in what a server has confirmed: below whatever is open, at once where nothing covers it. */
  applyRemote(set: ChangeSet): void
}

/** The inside of a store. Not for applications: it may change with any version. */
export function internals(store: Store): StoreInternals {
  const handle: unknown = store
  if (!(handle instanceof StoreHandle)) throw new TransactionError('not a store that createStore has made')
  const { engine } = handle
  return {
    engine,
    applyRemote: (set) => {
      applyBase(engine, encodeChanges(engine, set.changes), { what: 'applyRemote', origin: 'remote', label: set.label, take: false, commits: false })
    },
  }
}

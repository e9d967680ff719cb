import type { ChangeSet } from '../changes/index.ts'
import { TransactionError } from '../errors/index.ts'
import type { Store } from './api.ts'
import type { Engine } from './engine.ts'

/** What the sync client and the tests of the layers need of a store, and applications don't. */
export interface StoreInternals {
  readonly engine: Engine
  /** Takes in what a server has confirmed: below whatever is open, at once where nothing covers it. */
  applyRemote(set: ChangeSet): void
}

/** Where a store keeps its inside. */
export const INTERNALS: unique symbol = Symbol('rowcast internals')

/** The inside of a store. Not for applications: it may change with any version. Throws for what is no store. */
export function internals(store: Store): StoreInternals {
  const inside = (store as unknown as { readonly [INTERNALS]?: StoreInternals })[INTERNALS]
  if (!inside) throw new TransactionError('not a store that createStore has made')
  return inside
}

import type { ChangeSet, RowChange } from '../changes/index.ts'
import { TransactionError } from '../errors/index.ts'
import type { Store } from './api.ts'
import type { Engine } from './engine.ts'
import type { Arrival } from './layers/arrival.ts'
import type { PendingLayers } from './layers/pending-layers.ts'
import type { Tried } from './replica.ts'

/** What the sync client and the tests of the layers need of a store, and applications don't. */
export interface StoreInternals {
  readonly engine: Engine
  /** Takes in what a server has confirmed: below whatever is open, at once where nothing covers it. */
  applyRemote(set: Pick<ChangeSet, 'changes'> & Partial<ChangeSet>): void
  /** Throws NotFoundError and FilterError for a table, and for fields and values of a filter, that there aren't. */
  assertRows(table: string, where: unknown): void
  /** Runs a transaction below these pending ones and takes it back: what it would do, and what it read. */
  tryOut<Result>(run: () => Result, label: string | undefined, pending: PendingLayers): Tried<Result>
  /** A server has refused what was committed here, which is gone: nor can it be undone. */
  refused(set: ChangeSet, code: string, reason: string): void
  /** Commits changes once more, as far as their rows are there. */
  recommit(changes: readonly RowChange[], label: string | undefined): void
  /**
   * Commits what was committed before and not confirmed, as far as its rows are there; without telling a server or the
   * history. Before anyone else hears of it, `committed` is told what it came to, and which cells it wrote as they were.
   */
  repeat(
    changes: readonly Arrival[],
    committed: (changes: readonly RowChange[], meant: readonly RowChange[]) => void,
  ): void
  /**
   * The database as a file that does not leave: the committed state, or the confirmed one below these pending
   * transactions. Bytes of what was deleted may still be in it, unless it is to be as small as it can.
   */
  exportFile(pending?: PendingLayers, isTight?: boolean): Uint8Array
  /** How large that file would be, roughly, in bytes. */
  fileSize(): number
}

/** The inside of a store. Not for applications: it may change with any version. Throws for what is no store. */
export function internals(store: Store): StoreInternals {
  const handle = store as unknown as { internals?: () => StoreInternals }
  if (typeof handle.internals !== 'function') throw new TransactionError('not a store that createStore has made')
  return handle.internals()
}

import type { RowChange } from '../../changes/index.ts'
import type { Log } from '../log.ts'
import type { SnapshotStorage } from '../snapshot-storage.ts'

/** Where a state is read from: what is kept of one database. */
export interface Sources {
  readonly log: Pick<Log, 'bounds' | 'read'>
  readonly snapshots: Pick<SnapshotStorage, 'list' | 'get'>
}

/** How far something is that takes long: steps, each about as long as another. */
export interface Progress {
  readonly done: number
  readonly total: number
}

/** What a work is given, on whichever thread it runs. */
export interface WorkHost extends Sources {
  /** Hands over a slice of changes that are too many for one answer. Resolves once the next may come. */
  readonly take: (changes: readonly RowChange[]) => Promise<void>
  readonly progress: (progress: Progress) => void
}

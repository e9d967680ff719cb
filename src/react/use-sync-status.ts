import { useMemo } from 'react'
import { combineLatest, map } from 'rxjs'
import type { SchemaInput } from '../schema/index.ts'
import type { RejectedTransaction, SyncStatus } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { useClientStream } from './use-client-stream.ts'

/** How the store stands with its server. */
export interface SyncHandle extends SyncStatus {
  /** What the server refused, oldest first, until each is retried or discarded. */
  readonly rejected: readonly RejectedTransaction[]
}

/**
 * How the store stands with its server; renders again when that changes, and is the same object while it does not. A
 * store without sync is `closed`. On the server, and while hydrating, it is `connecting`.
 */
export type UseSyncStatus = () => SyncHandle

const CONNECTING: SyncHandle = { state: 'connecting', pending: 0, rejected: [] }

/** Makes the `useSyncStatus` of a context. */
export function createUseSyncStatus<S extends SchemaInput>(context: ScopeContext<S>): UseSyncStatus {
  return function useSyncStatus(): SyncHandle {
    const { store } = useScope(context)
    const status$ = useMemo(() => {
      // Read once: a closed store throws here, and what it has shown last stays on the screen.
      const { sync } = store
      return combineLatest([sync.status$, sync.rejected$]).pipe(map(([status, rejected]) => ({ ...status, rejected })))
    }, [store])
    return useClientStream(status$, CONNECTING)
  }
}

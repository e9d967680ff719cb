import type { Observable } from 'rxjs'
import type { StoreSync, SyncReconnect, SyncSet, SyncStatus, SyncSubscription } from '../../store/index.ts'
import type { Copy } from './copy.ts'
import type { Others } from './others.ts'

/** What `store.sync` is to callers. */
export function syncApi(client: {
  readonly status$: Observable<SyncStatus>
  readonly copy: Copy
  readonly others: Others
  readonly subscribe: (sets: readonly SyncSet[]) => SyncSubscription
  readonly reconnect: (options?: SyncReconnect) => void
  readonly setPresence: (state: unknown) => void
}): StoreSync {
  const { copy, others } = client
  return {
    status$: client.status$,
    pending$: copy.outbox.pending$,
    rejected$: copy.rejections.list$,
    get sequence() {
      return copy.sequence
    },
    subscribe: client.subscribe,
    reconnect: client.reconnect,
    presence: { set: client.setPresence, others$: others.list$ },
  }
}

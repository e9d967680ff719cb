import { of } from 'rxjs'
import { TransactionError } from '../errors/index.ts'
import type { StoreSync } from './sync-api.ts'

/** What `store.sync` is where there is no server: nothing is pending, nobody else is here. */
export const noSync: StoreSync = Object.freeze({
  status$: of({ state: 'closed' as const, reason: 'the store was created without sync', pending: 0 }),
  pending$: of([]),
  rejected$: of([]),
  sequence: 0,
  subscribe: () => {
    throw new TransactionError('there is no server to subscribe at: create the store with { sync }')
  },
  reconnect: () => {
    throw new TransactionError('there is no server to connect to: create the store with { sync }')
  },
  presence: Object.freeze({ set: () => undefined, others$: of([]) }),
})

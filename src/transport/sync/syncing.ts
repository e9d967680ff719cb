import type { SyncTransport } from '../../store/index.ts'
import type { Transport } from '../transport.ts'
import { carryOver } from './carry-over.ts'
import { assertOwner } from './owner.ts'
import { ownerOf, readShared } from './own-records.ts'
import { pendingIn, rescue } from './rescue.ts'
import { SyncClient } from './sync-client.ts'
import { platformTimers, type Timers } from './timers.ts'

/**
 * Makes a transport what `createStore({ sync: { transport } })` takes. The transports of this package are that already;
 * it is for one's own.
 */
export function syncing<T extends Transport>(transport: T, timers: Timers = platformTimers): T & SyncTransport {
  const startSync: SyncTransport['startSync'] = (internals, start) => {
    const client = new SyncClient(internals, transport, start, timers)
    client.start()
    return client
  }
  const findOwner: SyncTransport['assertOwner'] = (records, { user, database }) =>
    assertOwner(ownerOf(readShared(records).base), { user, database, token: transport.token })
  return Object.assign(transport, { startSync, carryOver, assertOwner: findOwner, pendingIn, rescue })
}

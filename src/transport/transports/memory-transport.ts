import type { Accept, ConnectionRequest } from '../connection.ts'
import type { SyncTransport } from '../../store/index.ts'
import type { Timers } from '../sync/timers.ts'
import type { TokenSource, Transport } from '../transport.ts'
import { createTransport } from './create-transport.ts'
import type { Faults } from './create-faults.ts'
import { MemoryLink } from './memory-link.ts'

export interface MemoryTransportOptions {
  /** What the server sees as the path and query of the request; `/` by default. */
  readonly url?: string | undefined
  /** By their names in lower case. */
  readonly headers?: ReadonlyMap<string, string> | undefined
  /** Decides what arrives, and when. Without it everything arrives in order, in a microtask after it was sent. */
  readonly faults?: Faults | undefined
  readonly token?: TokenSource | undefined
  /** Time for the sync client: the platform's if not given. */
  readonly timers?: Timers | undefined
}

/**
 * A connection to a server in the same page or process: `accept` is the server. `buffered` is in characters.
 *
 * With `faults` it keeps the contract of Transport only as far as the faults asked for do: they may reorder, repeat and
 * lose messages.
 */
export function memoryTransport(accept: Accept, options: MemoryTransportOptions = {}): Transport & SyncTransport {
  const { url = '/', headers = new Map<string, string>(), faults } = options
  const request: ConnectionRequest = { url, headers }
  return createTransport((events) => {
    if (faults) return faults.carry((connection) => new MemoryLink(connection, { accept, request, events, moved }))
    let planned = false
    const run = (): void => {
      planned = false
      deliverAll(link)
    }
    const plan = (): void => {
      if (planned) return
      planned = true
      queueMicrotask(run)
    }
    const link = new MemoryLink(1, { accept, request, events, moved: plan })
    plan()
    return link
  }, options)
}

/** Faults are stepped by the test, which needs no word that something moved. */
function moved(): void {}

/** What is under way now, not what is sent because of it: that has its own turn, so that two sides can't starve the rest. */
function deliverAll(link: MemoryLink): void {
  if (link.waiting) link.establish()
  const { toServer, toClient } = link
  const [up, down] = [toServer.pending, toClient.pending]
  for (let n = 0; n < up; n++) toServer.deliver()
  for (let n = 0; n < down; n++) toClient.deliver()
}

import { BehaviorSubject, Subject } from 'rxjs'
import type { SyncTransport } from '../../store/index.ts'
import { syncing } from '../sync/syncing.ts'
import type { Timers } from '../sync/timers.ts'
import type { Addresses, TokenSource, Transport, TransportStatus } from '../transport.ts'
import { describeFailure } from './describe-failure.ts'

/** The client's end of one connection. */
export interface Link {
  /** Called only between `opened` and `closed`. */
  send(message: string): void
  readonly buffered: number
  /** Ends it, whatever its state. What it tells afterwards goes unheard. */
  close(): void
}

/** What a link tells its transport. It tells nothing before the function that makes it has returned. */
export interface LinkEvents {
  opened(): void
  received(message: string): void
  /** It broke, was ended by the server, or could not be opened. The link has cleaned up by then. */
  closed(reason: string): void
}

const CLOSED: TransportStatus = Object.freeze({ state: 'closed' })
const CONNECTING: TransportStatus = Object.freeze({ state: 'connecting' })
const OPEN: TransportStatus = Object.freeze({ state: 'open' })

/**
 * The part of the contract that all transports share: one link at a time, and nothing heard from one that is over.
 * `connect` begins a link; what it throws becomes the reason of `closed`.
 */
export function createTransport(
  connect: (events: LinkEvents, database: string) => Link,
  options: {
    readonly token?: TokenSource | undefined
    readonly timers?: Timers | undefined
    readonly addresses?: Addresses | undefined
  } = {},
): Transport & SyncTransport {
  const status$ = new BehaviorSubject<TransportStatus>(CLOSED)
  const messages$ = new Subject<string>()
  let link: Link | undefined
  /** Goes up with each link that begins or ends: a link holds its own number, so that a late word of it is known. */
  let current = 0

  /** It broke, or could not be opened: another address is tried next, if there is one. */
  const fail = (reason: string): void => {
    link = undefined
    current += 1
    options.addresses?.next()
    status$.next({ state: 'closed', reason })
  }

  const eventsOf = (own: number): LinkEvents => ({
    opened: () => {
      if (own === current) status$.next(OPEN)
    },
    received: (message) => {
      if (own === current) messages$.next(message)
    },
    closed: (reason) => {
      if (own === current) fail(reason)
    },
  })

  const transport: Transport = {
    token: options.token,
    addresses: options.addresses,
    status$: status$.asObservable(),
    messages$: messages$.asObservable(),
    open: (database) => {
      if (status$.value.state !== 'closed') return
      const own = (current += 1)
      status$.next(CONNECTING)
      // Whoever was just told may have closed it again.
      if (own !== current) return
      try {
        link = connect(eventsOf(own), database)
      } catch (error) {
        fail(describeFailure(error))
      }
    },
    send: (message) => {
      if (status$.value.state === 'open') link?.send(message)
    },
    get buffered() {
      return link?.buffered ?? 0
    },
    close: () => {
      if (status$.value.state === 'closed') return
      const ended = link
      link = undefined
      current += 1
      ended?.close()
      status$.next(CLOSED)
    },
  }
  return syncing(transport, options.timers)
}

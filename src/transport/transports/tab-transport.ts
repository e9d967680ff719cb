import { Subject } from 'rxjs'
import type { SyncTransport } from '../../store/index.ts'
import { createTabs, type Tabs } from '../../tabs/index.ts'
import { RowcastError } from '../../errors/index.ts'
import { MuxClient } from '../mux/mux-client.ts'
import type { Timers } from '../sync/timers.ts'
import type { Addresses, TokenSource, Transport } from '../transport.ts'
import { createTransport } from './create-transport.ts'
import { TabEnd } from './tab-end.ts'

export interface TabTransportOptions {
  /** Tabs of one origin that give the same name share a connection, whichever databases they open. */
  readonly name: string
  /** Makes what the leading tab reaches the server by: `() => webSocketTransport({ url })`. Called once, by every tab. */
  readonly transport: () => Transport
  /**
   * Tabs that the application has joined already; of its own if not given. They stand, and carry the connection whenever
   * they lead, until they are closed: each of them must have this transport. Only one of a name for one `Tabs`.
   */
  readonly tabs?: Tabs | undefined
  /** What `hello` of this tab brings; that of `transport` if not given. */
  readonly token?: TokenSource | undefined
  /** Time for the sync client: the platform's if not given. */
  readonly timers?: Timers | undefined
}

/** A leader that says nothing for so long is passed over: takeover is to take a second in all. */
const SILENCE_MS = 400
/** Each takeover opens every tab's connection again: not as often as people look at another tab. */
const TERM_MS = 60_000

/**
 * One connection per origin: the tab that leads holds it, and those of all tabs travel over it, each as a session of its
 * own. When it closes, dies or falls silent, the others' connections end, and are opened again through the next leader.
 * While no tab leads, a connection is `connecting`. `buffered` is in characters that the leading tab has not taken.
 *
 * The server must take multiplexed connections, as Rowcast's does. A tab whose store is closed leaves the others, unless
 * it was given `tabs`.
 *
 * Throws RowcastError with code `tabs` for a name that is none, or one that these `tabs` have already.
 */
export function tabTransport(options: TabTransportOptions): Transport & SyncTransport {
  const { name, tabs, timers } = options
  if (typeof name !== 'string' || name === '')
    throw new RowcastError('tabs', 'tabTransport: name must be a text that is not empty')
  const real = options.transport()
  const mux = new MuxClient(real)
  const renewed$ = new Subject<void>()
  const renewed = (): void => renewed$.next()
  const standing = tabs ? new TabEnd(name, tabs, mux, renewed) : undefined
  let own: { readonly end: TabEnd; readonly tabs: Tabs } | undefined

  const join = (): TabEnd => {
    const joined = createTabs({ name: `transport:${name}`, silenceMs: SILENCE_MS, term: TERM_MS })
    own = { end: new TabEnd(name, joined, mux, renewed), tabs: joined }
    return own.end
  }
  const leave = (): void => {
    own?.end.close()
    own?.tabs.close()
    own = undefined
  }
  const transport = createTransport((events, database) => (standing ?? own?.end ?? join()).connect(events, database), {
    token: options.token ?? real.token,
    timers,
    addresses: real.addresses && addressesOfAll(real.addresses),
  })
  const close = transport.close.bind(transport)
  return Object.assign(transport, {
    renewed$: renewed$.asObservable(),
    close: () => {
      close()
      leave()
    },
  })
}

/** A server that sends one database elsewhere says nothing of those that the other tabs have open. */
function addressesOfAll(addresses: Addresses): Addresses {
  return {
    get count() {
      return addresses.count
    },
    next: () => addresses.next(),
    redirect: (address) => `tabs that share a connection do not go to '${address}'`,
  }
}

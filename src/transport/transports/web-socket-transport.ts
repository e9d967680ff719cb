import { RowcastError } from '../../errors/index.ts'
import type { SyncTransport } from '../../store/index.ts'
import type { Timers } from '../sync/timers.ts'
import type { TokenSource, Transport } from '../transport.ts'
import { createTransport, type Link, type LinkEvents } from './create-transport.ts'
import { ServerAddresses, type UrlSource } from './server-addresses.ts'

/** The part of a `WebSocket` that is used here: the platform's, or that of the package `ws`. */
export interface WebSocketLike {
  binaryType: string
  readonly bufferedAmount: number
  send(message: string): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void
}

export interface WebSocketTransportOptions {
  /**
   * The server's address, or that of its sync endpoint. `ws:` or `wss:`; browsers also take `http:`, `https:` and a path on their own origin. Keep secrets out of it: it is logged.
   *
   * Of several it begins with a random one, stays with it while it works, and goes on to the next when it does not. A
   * function is asked anew for each connection, unless a server has said where that is to go.
   */
  readonly url: UrlSource
  /** Says who this is. It travels in the first message, never in the URL. */
  readonly token?: TokenSource | undefined
  /** Time for the sync client: the platform's if not given. */
  readonly timers?: Timers | undefined
  readonly protocols?: string | readonly string[] | undefined
  /** Instead of the platform's own; needed on Node before 22. */
  readonly WebSocket?: (new (url: string | URL, protocols?: string | string[]) => WebSocketLike) | undefined
}

/** A client may give 1000 and 3000 to 4999 only; this one says what 1003 (unsupported data) would. */
const UNSUPPORTED_DATA = 4003

/**
 * Messages as the text frames of a WebSocket. A binary frame ends the connection. `buffered` is in bytes.
 *
 * Throws RowcastError with code `transport` where the platform has no `WebSocket` and none is given, and for a `url`
 * that is an empty list, or no text or URL.
 */
export function webSocketTransport(options: WebSocketTransportOptions): Transport & SyncTransport {
  const { url, protocols = [] } = options
  const WebSocket = options.WebSocket ?? globalThis.WebSocket
  if (typeof WebSocket !== 'function')
    throw new RowcastError(
      'transport',
      'webSocketTransport: this platform has no WebSocket: pass one as the option `WebSocket`',
    )
  const addresses = new ServerAddresses(url, 'sync', options.timers)
  const open = (address: string): WebSocketLike => {
    try {
      return new WebSocket(address, typeof protocols === 'string' ? protocols : [...protocols])
    } catch (error) {
      throw new RowcastError('transport', `${address} can't be opened`, { cause: error })
    }
  }
  return createTransport(
    (events, database) => addresses.connect(database, events, (address) => linkOf(open(address), events, address)),
    { ...options, addresses },
  )
}

/** A browser says no more, so that a page can't look around in a network. */
const LIKELY =
  'the address is wrong, the server or what stands before it is down, or it takes no pages of this origin, which its log says (--cors)'

function linkOf(socket: WebSocketLike, events: LinkEvents, url: string): Link {
  let opened = false
  // Otherwise a binary frame would be kept as a Blob, which may lie on disk.
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('open', () => {
    opened = true
    events.opened()
  })
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') return events.received(data)
    socket.close(UNSUPPORTED_DATA, 'binary frames are not taken')
    events.closed(`${url} sent a binary frame; only text is taken`)
  })
  // An error is always followed by `close`, and says nothing that may be shown; `ws` throws where nobody listens.
  socket.addEventListener('error', () => undefined)
  socket.addEventListener('close', ({ code, reason }) => {
    if (opened) events.closed(reason === '' ? `the connection to ${url} closed with code ${code}` : reason)
    else events.closed(`${url} could not be reached or refused the connection (code ${code}): ${LIKELY}`)
  })
  return {
    send: (message) => socket.send(message),
    get buffered() {
      return socket.bufferedAmount
    },
    close: () => socket.close(1000),
  }
}

import type { Observable } from 'rxjs'

/** Where a connection stands. */
export interface TransportStatus {
  readonly state: 'closed' | 'connecting' | 'open'
  /** Why it closed or could not be opened, for people; absent if `close` was called or it never was open. */
  readonly reason?: string
}

/** The addresses of a transport that has several, or that a server may send elsewhere. */
export interface Addresses {
  /** How many of its own it has, as far as it knows. */
  readonly count: number
  /** The next connection is to go to another. It goes on to another by itself where one could not be opened, or broke. */
  next(): void
  /**
   * The next connection is to go to this one, which a server has named. Where that fails it goes to one of its own again.
   * Says why where it is not gone to: it is no address of a server, or is not encrypted where the last one was.
   */
  redirect(address: string): string | undefined
}

/** A token, or what gives a fresh one for each connection. */
export type TokenSource = string | (() => string | Promise<string>)

/**
 * What carries messages to a server and back: one connection at a time, which can be opened again once it has closed. It
 * knows nothing of what the messages say. The contract that every implementation keeps (one suite tests it):
 * - Within one connection messages arrive whole, in order and at most once; what was sent before it closed may be lost.
 * - Nothing of an earlier connection arrives after a later one is open.
 * - Opening that fails, and a connection that breaks, end in `closed` with a reason; neither throws. Whoever uses it
 *   decides when to open again.
 */
export interface Transport {
  /** `closed` first, then each change, also for those who subscribe late. */
  readonly status$: Observable<TransportStatus>
  /** What arrives. */
  readonly messages$: Observable<string>
  /** Tells when the server is reached another way from now on: that it could not be says nothing any more. */
  readonly renewed$?: Observable<void> | undefined
  /** Where it can go, if not to one place alone. */
  readonly addresses?: Addresses | undefined
  /**
   * Starts a connection, to what serves this database where the transport's address leaves that open. Does nothing
   * while one is connecting or open.
   */
  open(database: string): void
  /** What `hello` brings to say who this is. */
  readonly token?: TokenSource | undefined
  /** Sends a message on the open connection; dropped where there is none. */
  send(message: string): void
  /** Bytes or characters handed to `send` that have not left yet; 0 where that can't be known. */
  readonly buffered: number
  /** Ends the connection. It can be opened again. */
  close(): void
}

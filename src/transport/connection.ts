/** One client's connection as the server holds it. */
export interface ServerConnection {
  /** Sends a message. Never throws; dropped where the connection has closed. */
  send(message: string): void
  /** Bytes or characters handed to `send` that the network has not taken yet. */
  readonly buffered: number
  /** What it waits for together with others: the channels of one connection have one line. Itself where it is not given. */
  readonly line?: object | undefined
  /**
   * Reads nothing more of what the client sends until the returned function is called, which may be more than once: what waits
   * then waits at the client. Not there where each message comes by itself.
   */
  readonly pause?: (() => () => void) | undefined
  /**
   * Ends the connection with a close code of WebSocket (1000, 1001, 1008, 4000 to 4999, …) and a reason for people, at most
   * 123 bytes long. What was sent before still goes out, unless the client does not take it. Does nothing once closed.
   */
  close(code: number, reason: string): void
}

/** What the server does with what one connection brings. Neither function may throw. */
export interface ConnectionHandler {
  /** Each message of the client, in order. Not called any more once `closed` was. */
  receive(message: string): void
  /**
   * The longest message that it takes now, in bytes; any without it. A carrier need not read a longer one to its end: it
   * calls `tooLarge`.
   */
  readonly allowedBytes?: number | undefined
  /**
   * Takes room for a part of a message whose end has not come; the function gives it back. `undefined` where there is none,
   * and the connection has ended.
   */
  hold?(bytes: number): (() => void) | undefined
  /** A message is longer than it takes. Ends the connection, saying so. */
  tooLarge?(): void
  /** The connection has ended, from whichever side, `close` included. Called once, never before `Accept` has returned. */
  closed(reason: string): void
}

/** The request that a connection began with. */
export interface ConnectionRequest {
  /** Path and query, as in the request's first line. */
  readonly url: string
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** Whether the connection shares that of the request with others: the path then says nothing of this one. */
  readonly multiplexed?: boolean
  /** Where it comes from, as the network says: not what a header claims. */
  readonly address?: string | undefined
}

/**
 * Takes a connection that has just begun. It may send, and it may refuse by `connection.close`, which the client sees as
 * a connection that closed with that reason.
 */
export type Accept = (connection: ServerConnection, request: ConnectionRequest) => ConnectionHandler

/** Takes room at a handler for a part of a message; one that keeps no count of it has any. */
export function holdFor(handler: ConnectionHandler, bytes: number): (() => void) | undefined {
  return handler.hold ? handler.hold(bytes) : nothingHeld
}

function nothingHeld(): void {}

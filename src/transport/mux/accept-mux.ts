import {
  holdFor,
  type Accept,
  type ConnectionHandler,
  type ConnectionRequest,
  type ServerConnection,
} from '../connection.ts'
import { formatFrame, parseFrame } from './frames.ts'

/** So many tabs may share a connection. Each channel is a session of its own, so that it can't be any number. */
const MAX_CHANNELS = 200
/** What a frame has around its message, and has with none, a reason included. */
const FRAME_BYTES = 1_024
/** How long a connection may carry nothing. */
const IDLE_MS = 10_000
const CLIENT_CLOSED = 'the client closed the connection'

interface Channel {
  /** `undefined` while `accept` runs. */
  handler: ConnectionHandler | undefined
  /** Why the server ended it, where it did so while `accept` ran. */
  early: string | undefined
}

/**
 * The server's half of a multiplexed connection: each channel of a connection is one for `accept`, with the request of
 * the whole, marked as `multiplexed`. `buffered` of a channel is that of the whole, since all of them wait for the same line.
 *
 * A frame that is none ends the whole connection with code 4000; so does one that is longer than any channel takes, and
 * to carry nothing for ten seconds.
 */
export function acceptMux(accept: Accept): Accept {
  return (connection, request) => new Demultiplexer(accept, connection, request)
}

/**
 * Takes both kinds of connection at one endpoint: the first message tells which it is. Until then it is one for `accept`
 * alone, which sees a multiplexed one as a connection that says nothing and ends.
 */
export function acceptMuxToo(accept: Accept): Accept {
  const multiplexed = acceptMux(accept)
  return (connection, request) => {
    let handler: ConnectionHandler = accept(connection, request)
    let first = true
    return {
      receive: (message) => {
        if (first && parseFrame(message)) {
          handler.closed('it carries several connections')
          handler = multiplexed(connection, request)
        }
        first = false
        handler.receive(message)
      },
      get allowedBytes() {
        return handler.allowedBytes
      },
      hold: (bytes) => holdFor(handler, bytes),
      tooLarge: () => handler.tooLarge?.(),
      closed: (reason) => handler.closed(reason),
    }
  }
}

class Demultiplexer implements ConnectionHandler {
  readonly #accept: Accept
  readonly #connection: ServerConnection
  readonly #request: ConnectionRequest
  readonly #channels = new Map<number, Channel>()
  /** The highest channel that was opened. */
  #last = -1
  #over = false
  #idle: ReturnType<typeof setTimeout> | undefined

  constructor(accept: Accept, connection: ServerConnection, request: ConnectionRequest) {
    this.#accept = accept
    this.#connection = connection
    this.#request = { ...request, multiplexed: true }
    this.#rest()
  }

  /** As much as a channel takes at most, with what a frame adds; for want of channels, a frame alone. */
  get allowedBytes(): number | undefined {
    let most = 0
    for (const { handler } of this.#channels.values()) {
      if (!handler) continue
      if (handler.allowedBytes === undefined) return undefined
      most = Math.max(most, handler.allowedBytes)
    }
    return most + FRAME_BYTES
  }

  /** Whose frame it will be is not known yet: any channel answers for the line. */
  hold(bytes: number): (() => void) | undefined {
    for (const { handler } of this.#channels.values()) if (handler) return holdFor(handler, bytes)
    return () => undefined
  }

  tooLarge(): void {
    this.#refuse('a message is longer than any connection takes')
  }

  receive(message: string): void {
    if (this.#over) return
    const frame = parseFrame(message)
    if (!frame) return this.#refuse('not a frame of a multiplexed connection')
    const { kind, channel: id, text } = frame
    if (kind === 'o') return this.#open(id)
    // The server may have ended the channel while this was on its way.
    const channel = this.#channels.get(id)
    if (kind === 'm') channel?.handler?.receive(text)
    else if (channel) this.#end(id, channel, text === '' ? CLIENT_CLOSED : text)
  }

  closed(reason: string): void {
    this.#over = true
    clearTimeout(this.#idle)
    for (const [id, channel] of Array.from(this.#channels)) this.#end(id, channel, reason)
  }

  #open(id: number): void {
    if (id <= this.#last) return this.#refuse(`channel ${id} was opened before`)
    this.#last = id
    if (this.#channels.size >= MAX_CHANNELS) {
      this.#connection.send(formatFrame('c', id, `a connection carries ${MAX_CHANNELS} others at most`))
      return
    }
    const channel: Channel = { handler: undefined, early: undefined }
    this.#channels.set(id, channel)
    clearTimeout(this.#idle)
    this.#connection.send(formatFrame('o', id))
    try {
      channel.handler = this.#accept(this.#side(id, channel), this.#request)
    } catch (error) {
      this.#channels.delete(id)
      this.#rest()
      this.#connection.send(formatFrame('c', id, 'the server failed to take the connection'))
      throw error
    }
    if (channel.early !== undefined) this.#end(id, channel, channel.early)
  }

  /** One channel, as the server sees it. */
  #side(id: number, channel: Channel): ServerConnection {
    const connection = this.#connection
    const isOpen = (): boolean => this.#channels.get(id) === channel && channel.early === undefined
    return {
      send: (message) => {
        if (isOpen()) connection.send(formatFrame('m', id, message))
      },
      get buffered() {
        return isOpen() ? connection.buffered : 0
      },
      line: connection.line ?? connection,
      pause: connection.pause && (() => connection.pause!()),
      close: (code, reason) => {
        if (!isOpen()) return
        connection.send(
          formatFrame('c', id, reason === '' ? `the server closed the connection with code ${code}` : reason),
        )
        if (channel.handler) this.#end(id, channel, reason)
        else channel.early = reason
      },
    }
  }

  #end(id: number, channel: Channel, reason: string): void {
    if (!this.#channels.delete(id)) return
    channel.handler?.closed(reason)
    this.#rest()
  }

  /** A connection that carries nothing is nobody's: it ends unless it carries something soon. */
  #rest(): void {
    clearTimeout(this.#idle)
    if (this.#channels.size > 0 || this.#over) return
    this.#idle = setTimeout(() => this.#refuse('it carries no connection'), IDLE_MS)
  }

  #refuse(reason: string): void {
    this.closed(reason)
    this.#connection.close(4000, reason)
  }
}

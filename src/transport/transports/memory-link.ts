import type { Accept, ConnectionHandler, ConnectionRequest, ServerConnection } from '../connection.ts'
import type { Link, LinkEvents } from './create-transport.ts'
import { MemoryLane } from './memory-lane.ts'

/** Both directions of one connection in memory. Whoever carries it calls `establish` first, then moves the lanes. */
export class MemoryLink implements Link {
  readonly toServer: MemoryLane
  readonly toClient: MemoryLane
  readonly connection: number
  readonly #accept: Accept
  readonly #request: ConnectionRequest
  readonly #events: LinkEvents
  readonly #moved: () => void
  #handler: ConnectionHandler | undefined
  #state: 'waiting' | 'accepting' | 'established' | 'over' = 'waiting'
  /** What ended the server's side while `accept` was still running. */
  #early: string | undefined

  constructor(
    connection: number,
    ends: { accept: Accept; request: ConnectionRequest; events: LinkEvents; moved: () => void },
  ) {
    this.connection = connection
    this.#accept = ends.accept
    this.#request = ends.request
    this.#events = ends.events
    this.#moved = ends.moved
    this.toClient = new MemoryLane('client', connection, {
      arrive: (message) => this.#events.received(message),
      end: (reason) => this.#events.closed(reason),
    })
    this.toServer = new MemoryLane('server', connection, {
      arrive: (message) => this.#handler?.receive(message),
      end: (reason) => this.#tellServer(reason),
    })
  }

  /** Nobody has answered the client yet. */
  get waiting(): boolean {
    return this.#state === 'waiting'
  }

  /** Both sides know that it has ended. */
  get over(): boolean {
    return this.#state === 'over' || (this.toServer.over && this.toClient.over)
  }

  /** The server takes the connection, and the client learns of it. */
  establish(): void {
    this.#state = 'accepting'
    try {
      this.#handler = this.#accept(this.#serverSide(), this.#request)
    } catch (error) {
      this.refuse('the server failed to take the connection')
      throw error
    }
    this.#state = 'established'
    this.#events.opened()
    if (this.#early !== undefined) this.#handler.closed(this.#early)
  }

  /** The client is told that there is no server. */
  refuse(reason: string): void {
    this.#state = 'over'
    this.toServer.discard()
    this.toClient.cut(reason)
  }

  send(message: string): void {
    this.toServer.put(message)
    this.#moved()
  }

  get buffered(): number {
    return this.toServer.buffered
  }

  close(): void {
    if (this.#state === 'waiting') this.#state = 'over'
    this.toClient.discard()
    this.toServer.putEnding('the client closed the connection')
    this.#moved()
  }

  #serverSide(): ServerConnection {
    const { toClient } = this
    return {
      send: (message) => {
        toClient.put(message)
        this.#moved()
      },
      get buffered() {
        return toClient.buffered
      },
      close: (code, reason) => {
        if (this.toServer.over) return
        toClient.putEnding(reason === '' ? `the server closed the connection with code ${code}` : reason)
        this.toServer.cut(reason)
        this.#moved()
      },
    }
  }

  #tellServer(reason: string): void {
    if (this.#state === 'accepting') this.#early = reason
    else this.#handler?.closed(reason)
  }
}

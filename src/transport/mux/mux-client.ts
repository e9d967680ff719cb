import type { Transport, TransportStatus } from '../transport.ts'
import type { Link, LinkEvents } from '../transports/create-transport.ts'
import { formatFrame, parseFrame } from './frames.ts'

interface Channel {
  readonly events: LinkEvents
  state: 'waiting' | 'asked' | 'open'
}

/**
 * The client's half of a multiplexed connection: any number of links over one transport, which is open while there are
 * any. The server's half is `acceptMux`. Links end with the transport, each with its reason.
 */
export class MuxClient {
  readonly #transport: Transport
  readonly #channels = new Map<number, Channel>()
  #next = 1
  /** The transport is being asked to open: what it says of being closed is of before. */
  #state: TransportStatus['state'] = 'closed'

  constructor(transport: Transport) {
    this.#transport = transport
    transport.status$.subscribe((status) => this.#onStatus(status))
    transport.messages$.subscribe((message) => this.#receive(message))
  }

  /** Begins a link. `database` names the endpoint if the transport is not open yet; a session's `hello` says its own. */
  connect(events: LinkEvents, database: string): Link {
    const id = this.#next++
    const channel: Channel = { events, state: 'waiting' }
    this.#channels.set(id, channel)
    // A link tells nothing before whoever asked for it has it.
    queueMicrotask(() => {
      if (this.#channels.get(id) !== channel || channel.state !== 'waiting') return
      if (this.#state === 'open') this.#ask(id, channel)
      else this.#transport.open(database)
    })
    const transport = this.#transport
    return {
      send: (message) => {
        if (channel.state === 'open' && this.#channels.get(id) === channel)
          transport.send(formatFrame('m', id, message))
      },
      get buffered() {
        return transport.buffered
      },
      close: () => {
        if (!this.#channels.delete(id)) return
        if (channel.state !== 'waiting') transport.send(formatFrame('c', id))
        this.#rest()
      },
    }
  }

  #onStatus({ state, reason }: TransportStatus): void {
    this.#state = state
    if (state === 'open') {
      for (const [id, channel] of Array.from(this.#channels)) this.#ask(id, channel)
    } else if (state === 'closed') {
      const lost = Array.from(this.#channels.values())
      this.#channels.clear()
      for (const { events } of lost) events.closed(reason ?? 'the shared connection was closed')
    }
  }

  #ask(id: number, channel: Channel): void {
    channel.state = 'asked'
    this.#transport.send(formatFrame('o', id))
  }

  #receive(message: string): void {
    const frame = parseFrame(message)
    if (!frame) return this.#misunderstood(message)
    const channel = this.#channels.get(frame.channel)
    // It was closed here while this was on its way.
    if (!channel) return
    if (frame.kind === 'm') channel.events.received(frame.text)
    else if (frame.kind === 'o') {
      channel.state = 'open'
      channel.events.opened()
    } else {
      this.#channels.delete(frame.channel)
      channel.events.closed(frame.text)
      this.#rest()
    }
  }

  /** A server that does not multiplex answers in JSON. */
  #misunderstood(message: string): void {
    const lost = Array.from(this.#channels.values())
    this.#channels.clear()
    this.#transport.close()
    const reason = `the server does not carry several connections over one: it answered ${message.slice(0, 200)}`
    for (const { events } of lost) events.closed(reason)
  }

  #rest(): void {
    if (this.#channels.size === 0) this.#transport.close()
  }
}

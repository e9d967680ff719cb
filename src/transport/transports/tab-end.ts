import type { MuxClient } from '../mux/mux-client.ts'
import type { Link, LinkEvents } from './create-transport.ts'
import { downTo, readFrame, type TabLane } from './tab-calls.ts'
import { TabLink } from './tab-link.ts'
import { TabRelay } from './tab-relay.ts'

/** One tab among those that share a connection: it stands, carries the others' while it leads, and has one of its own. */
export class TabEnd {
  readonly #name: string
  readonly #tabs: TabLane
  readonly #relay: TabRelay
  readonly #stop: () => void
  #link: TabLink | undefined
  #channel = 0

  constructor(name: string, tabs: TabLane, mux: MuxClient) {
    this.#name = name
    this.#tabs = tabs
    this.#relay = new TabRelay(name, tabs, mux)
    const provision = tabs.provide(downTo(name, tabs.id), (payload, { from }) => {
      const frame = readFrame(payload)
      if (frame && frame.channel === this.#channel) this.#link?.receive(from, frame)
    })
    this.#stop = () => provision.stop()
    tabs.stand()
  }

  connect(events: LinkEvents, database: string): Link {
    this.#link = new TabLink(++this.#channel, { name: this.#name, tabs: this.#tabs, events, database })
    return this.#link
  }

  close(): void {
    this.#stop()
    this.#relay.close()
  }
}

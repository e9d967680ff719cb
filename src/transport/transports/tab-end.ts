import { distinctUntilChanged, filter, skip, type Subscription } from 'rxjs'
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

  /** @param renewed told when another tab leads from now on */
  constructor(name: string, tabs: TabLane, mux: MuxClient, renewed: () => void) {
    this.#name = name
    this.#tabs = tabs
    this.#relay = new TabRelay(name, tabs, mux)
    const provision = tabs.provide(downTo(name, tabs.id), (payload, { from }) => {
      const frame = readFrame(payload)
      if (frame && frame.channel === this.#channel) this.#link?.receive(from, frame)
    })
    const leaders = watchLeader(tabs, renewed)
    this.#stop = () => {
      provision.stop()
      leaders.unsubscribe()
    }
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

function watchLeader(tabs: TabLane, renewed: () => void): Subscription {
  return tabs.leader$
    .pipe(
      filter((leader) => leader !== undefined),
      distinctUntilChanged(),
      // That somebody leads is how it begins.
      skip(1),
    )
    .subscribe({
      // First the connections of this tab hear of it, and end.
      next: () => queueMicrotask(renewed),
      // These tabs have failed, or are closed: the connections of this tab hear of that.
      error: () => undefined,
    })
}

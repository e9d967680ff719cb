import { Subscription } from 'rxjs'
import { formatFrame, type Frame } from '../mux/frames.ts'
import type { MuxClient } from '../mux/mux-client.ts'
import type { Link } from './create-transport.ts'
import { downTo, readFrame, type TabLane, upTo } from './tab-calls.ts'

/** Characters on their way to a tab that does not take them: it sleeps. It comes back for a fresh copy. */
const MAX_UNTAKEN = 16 * 1024 * 1024

interface Relayed {
  readonly tab: string
  readonly link: Link
  /** Takes back what the tab has not been given. */
  readonly ended: AbortController
  /** Characters that the tab has not taken. */
  untaken: number
}

/** What the leading tab does: carries the connections of all tabs, its own among them, over one. */
export class TabRelay {
  readonly #name: string
  readonly #tabs: TabLane
  readonly #mux: MuxClient
  readonly #relayed = new Map<string, Relayed>()
  readonly #subscription = new Subscription()

  constructor(name: string, tabs: TabLane, mux: MuxClient) {
    this.#name = name
    this.#tabs = tabs
    this.#mux = mux
    const provision = tabs.provide(upTo(name), (payload, { from }) => this.#receive(from, payload), {
      whileLeading: true,
    })
    this.#subscription.add(() => provision.stop())
    this.#subscription.add(
      tabs.tabs$.subscribe({
        next: (present) => {
          const ids = new Set(present.map(({ id }) => id))
          for (const [key, { tab }] of this.#relayed) if (!ids.has(tab)) this.#drop(key)
        },
        error: () => this.#dropAll(),
      }),
    )
    this.#subscription.add(
      tabs.leader$.subscribe({
        next: (leader) => {
          if (leader !== tabs.id) this.#dropAll()
        },
        // tabs$ fails with it.
        error: () => undefined,
        complete: () => this.#dropAll(),
      }),
    )
  }

  close(): void {
    this.#subscription.unsubscribe()
    this.#dropAll()
  }

  #receive(tab: string, payload: unknown): string {
    const frame = readFrame(payload)
    if (frame) this.#take(tab, frame)
    return this.#tabs.id
  }

  #take(tab: string, { kind, channel, text }: Frame): void {
    const key = `${tab}:${channel}`
    const relayed = this.#relayed.get(key)
    if (kind === 'c') this.#drop(key)
    else if (kind === 'm') {
      if (relayed) relayed.link.send(text)
      else this.#send(tab, formatFrame('c', channel, 'another tab holds the connection now'))
    } else if (!relayed) this.#open(tab, channel, text)
  }

  #open(tab: string, channel: number, database: string): void {
    const key = `${tab}:${channel}`
    const link = this.#mux.connect(
      {
        opened: () => this.#tell(relayed, formatFrame('o', channel)),
        received: (message) => {
          this.#tell(relayed, formatFrame('m', channel, message))
          if (relayed.untaken <= MAX_UNTAKEN) return
          this.#drop(key)
          this.#send(tab, formatFrame('c', channel, 'this tab did not take what came for it'))
        },
        closed: (reason) => {
          this.#relayed.delete(key)
          this.#tell(relayed, formatFrame('c', channel, reason))
        },
      },
      database,
    )
    const relayed: Relayed = { tab, link, ended: new AbortController(), untaken: 0 }
    this.#relayed.set(key, relayed)
  }

  #tell(relayed: Relayed, frame: string): void {
    relayed.untaken += frame.length
    this.#send(relayed.tab, frame, relayed.ended.signal, () => (relayed.untaken -= frame.length))
  }

  #send(tab: string, frame: string, signal?: AbortSignal, taken?: () => void): void {
    this.#tabs.request(downTo(this.#name, tab), frame, { signal }).then(
      () => taken?.(),
      // It was taken back, or these tabs are closed; whoever it was for hears of that otherwise.
      () => undefined,
    )
  }

  #drop(key: string): void {
    const relayed = this.#relayed.get(key)
    if (!relayed) return
    this.#relayed.delete(key)
    relayed.ended.abort()
    relayed.link.close()
  }

  #dropAll(): void {
    for (const key of Array.from(this.#relayed.keys())) this.#drop(key)
  }
}

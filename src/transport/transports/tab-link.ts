import { Subscription } from 'rxjs'
import { formatFrame, type Frame } from '../mux/frames.ts'
import type { Link, LinkEvents } from './create-transport.ts'
import { describeFailure } from './describe-failure.ts'
import { type TabLane, upTo } from './tab-calls.ts'

/** One connection of a tab, through whoever leads. It waits until someone does, and ends when another does. */
export class TabLink implements Link {
  readonly #name: string
  readonly #channel: number
  readonly #tabs: TabLane
  readonly #events: LinkEvents
  readonly #subscription = new Subscription()
  /** Takes back what no leader has received: it is not for the next one. */
  readonly #ended = new AbortController()
  /** Who carries it. */
  #carrier: string | undefined
  #leader: string | undefined
  #untaken = 0

  constructor(
    channel: number,
    ends: { readonly name: string; readonly tabs: TabLane; readonly events: LinkEvents; readonly database: string },
  ) {
    this.#channel = channel
    this.#name = ends.name
    this.#tabs = ends.tabs
    this.#events = ends.events
    // A link tells nothing before whoever made it has it.
    queueMicrotask(() => this.#begin(ends.database))
  }

  get buffered(): number {
    return this.#untaken
  }

  send(message: string): void {
    const frame = formatFrame('m', this.#channel, message)
    this.#untaken += frame.length
    this.#ask(frame, () => (this.#untaken -= frame.length))
  }

  close(): void {
    if (!this.#end()) return
    this.#tabs.request(upTo(this.#name), formatFrame('c', this.#channel)).catch(() => {
      // These tabs are closed, and the leader has heard of that.
    })
  }

  /** A frame of a tab that leads, or did. */
  receive(from: string, { kind, text }: Frame): void {
    if (this.#ended.signal.aborted || (this.#carrier ?? from) !== from) return
    this.#carry(from)
    if (this.#ended.signal.aborted) return
    if (kind === 'o') this.#events.opened()
    else if (kind === 'm') this.#events.received(text)
    else this.#fail(text)
  }

  #begin(database: string): void {
    if (this.#ended.signal.aborted) return
    this.#subscription.add(
      this.#tabs.leader$.subscribe({
        next: (leader) => {
          this.#leader = leader
          this.#check()
        },
        error: (error: unknown) => this.#fail(describeFailure(error)),
        complete: () => this.#fail('the tabs were closed'),
      }),
    )
    this.#ask(formatFrame('o', this.#channel, database), (carrier) => this.#carry(String(carrier)))
  }

  #ask(frame: string, answered: (answer: unknown) => void): void {
    this.#tabs.request(upTo(this.#name), frame, { signal: this.#ended.signal }).then(
      (answer) => (this.#ended.signal.aborted ? undefined : answered(answer)),
      (error: unknown) => this.#fail(describeFailure(error)),
    )
  }

  #carry(carrier: string): void {
    this.#carrier ??= carrier
    this.#check()
  }

  #check(): void {
    if (this.#carrier !== undefined && this.#leader !== this.#carrier)
      this.#fail('the tab that held the connection leads no more')
  }

  #fail(reason: string): void {
    if (this.#end()) this.#events.closed(reason)
  }

  #end(): boolean {
    if (this.#ended.signal.aborted) return false
    this.#ended.abort()
    this.#subscription.unsubscribe()
    this.#untaken = 0
    return true
  }
}

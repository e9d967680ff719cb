import { RejectedError, StoreClosedError, type RowcastError } from '../../errors/index.ts'
import type { Arrival, SyncSet } from '../../store/index.ts'
import type { RowsMessage, WireSubscription } from '../protocol/messages.ts'

interface Subscription {
  readonly wire: WireSubscription
  readonly ready: () => void
  readonly refused: (error: RowcastError) => void
}

/** What the subscriptions say to the server. */
export interface SubscriptionsLink {
  subscribe(subscription: WireSubscription): void
  unsubscribe(id: string): void
}

/** The parts of the database that are wanted, and their rows as they come in. */
export class Subscriptions {
  readonly #link: SubscriptionsLink
  readonly #wanted = new Map<string, Subscription>()
  /** Those that the server of this connection knows of. */
  #asked = new Set<string>()
  /** Those of its hello, whose rows come with the copy. */
  #greeted: ReadonlySet<string> = new Set()
  /** Rows that came in and are not complete, by subscription; under `''` those of everything. */
  readonly #parts = new Map<string, Arrival[]>()
  #nextId = 1
  #connected = false
  #closed = false

  constructor(link: SubscriptionsLink) {
    this.#link = link
  }

  add(sets: readonly SyncSet[]): { readonly ready: Promise<void>; unsubscribe(): void } {
    const id = String(this.#nextId++)
    const wire: WireSubscription = {
      id,
      sets: sets.map(({ table, where }) => ({ table, ...(where && { where: { ...where } }) })),
    }
    const ready = new Promise<void>((resolve, refused) => {
      if (this.#closed) refused(new StoreClosedError())
      else this.#wanted.set(id, { wire, ready: resolve, refused })
    })
    // Not everyone waits for it.
    ready.catch(() => undefined)
    if (this.#connected) this.#ask(wire)
    return {
      ready,
      unsubscribe: () => {
        const wanted = this.#wanted.get(id)
        if (!wanted) return
        this.#wanted.delete(id)
        // Rows that were still on their way are not waited for any more.
        wanted.ready()
        if (this.#connected) this.#link.unsubscribe(id)
      },
    }
  }

  /** What the hello of a new connection asks for. */
  hello(): WireSubscription[] {
    this.#connected = false
    this.#parts.clear()
    const wires = [...this.#wanted.values()].map(({ wire }) => wire)
    this.#asked = new Set(wires.map(({ id }) => id))
    this.#greeted = new Set(this.#asked)
    return wires
  }

  /** The server answered the hello: asks for what was added since, and for what was ended since no more. */
  welcome(reset: boolean): void {
    this.#connected = true
    for (const { wire, ready } of this.#wanted.values()) {
      if (!this.#asked.has(wire.id)) this.#ask(wire)
      // What the copy has is what they show.
      else if (!reset) ready()
    }
    for (const id of this.#asked) if (!this.#wanted.has(id)) this.#link.unsubscribe(id)
  }

  /** Collects rows; gives all of them with the last part. */
  take({ subscription = '', rows, position }: RowsMessage): readonly Arrival[] | undefined {
    const all = this.#parts.get(subscription) ?? []
    for (const [table, key, after] of rows) all.push({ table, key, op: 'put', after })
    if (position === undefined) this.#parts.set(subscription, all)
    else this.#parts.delete(subscription)
    return position === undefined ? undefined : all
  }

  /** The rows of one subscription are here, or those of all. */
  ready(id: string | undefined): void {
    if (id !== undefined) this.#wanted.get(id)?.ready()
    else for (const one of this.#wanted.values()) if (this.#greeted.has(one.wire.id)) one.ready()
  }

  /** Whether the server's refusal was about a subscription, which it ends. */
  refuse(id: string, code: string, reason: string): boolean {
    const refused = this.#wanted.get(id)
    if (!refused) return false
    this.#wanted.delete(id)
    refused.refused(new RejectedError(code, reason))
    return true
  }

  /** Whoever still waits for rows learns that none will come here. */
  close(): void {
    for (const { refused } of this.#wanted.values()) refused(new StoreClosedError())
    this.#wanted.clear()
    this.#connected = false
    this.#closed = true
  }

  #ask(wire: WireSubscription): void {
    this.#asked.add(wire.id)
    this.#link.subscribe(wire)
  }
}

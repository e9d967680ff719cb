import type { Faults, Timers } from 'rowcast/transport'

type Link = ReturnType<Faults['carry']>

/** The network and the time of one client, which can die with it. */
export class Mortal {
  readonly faults: Faults
  readonly timers: Timers
  readonly #links: Link[] = []
  #dead = false

  constructor(faults: Faults, timers: Timers) {
    this.faults = {
      get pending() {
        return faults.pending
      },
      step: (fault) => faults.step(fault),
      cutAll: (reason) => faults.cutAll(reason),
      carry: (create) => {
        const link = faults.carry(create)
        this.#links.push(link)
        return link
      },
    }
    this.timers = {
      after: (ms, run) => timers.after(ms, () => this.#dead || run()),
      random: () => timers.random(),
    }
  }

  /**
   * The client is no more: it hears nothing, and no time passes for it. Of what it has sent the first few messages, as
   * many as `random` says, still arrive.
   */
  die(random: (below: number) => number): void {
    this.#dead = true
    for (const link of this.#links) {
      if (link.over) continue
      link.toClient.discard()
      if (link.waiting) link.refuse('the client is gone')
      link.toServer.keepFirst(random(link.toServer.messages + 1))
      link.toServer.putEnding('the client is gone')
    }
  }
}

import type { Limits } from './limits.ts'

/** A connection that has not said who it is. */
export interface Stranger {
  /** It gives way to another. */
  giveWay(): void
}

/**
 * Those who are connected and not known yet. Where there are too many, of one address or in all, the oldest gives way: who
 * means to say hello has done so long before.
 */
export class Strangers {
  readonly #limits: Pick<Limits, 'strangers' | 'strangersPerAddress'>
  /** In the order in which they came. */
  readonly #all = new Set<Stranger>()
  readonly #byAddress = new Map<string, Set<Stranger>>()

  constructor(limits: Pick<Limits, 'strangers' | 'strangersPerAddress'>) {
    this.#limits = limits
  }

  get size(): number {
    return this.#all.size
  }

  /** Until the returned function is called. It may be called twice. */
  enter(stranger: Stranger, address = ''): () => void {
    const near = this.#byAddress.get(address) ?? new Set<Stranger>()
    this.#byAddress.set(address, near)
    const leave = (): void => {
      this.#all.delete(stranger)
      near.delete(stranger)
      if (near.size === 0 && this.#byAddress.get(address) === near) this.#byAddress.delete(address)
    }
    this.#all.add(stranger)
    near.add(stranger)
    if (near.size > this.#limits.strangersPerAddress) oldest(near).giveWay()
    if (this.#all.size > this.#limits.strangers) oldest(this.#all).giveWay()
    return leave
  }
}

function oldest(strangers: ReadonlySet<Stranger>): Stranger {
  return strangers.values().next().value!
}

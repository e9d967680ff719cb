import type { Limits } from './limits.ts'

/** What is counted of each user, over all that they do at a time. */
export type Counter =
  | 'connections'
  | 'subscriptions'
  | 'transactions'
  | 'requests'
  | 'waitingBytes'
  | 'memoryBytes'
  | 'presenceBytes'

/** What a list or an object takes once it is parsed, in bytes beside its text. */
export const CONTAINER_BYTES = 64
/** Who holds no more of what all share than this part of their own limit is let through, however much the others hold. */
const LITTLE = 1 / 64

/** What each user of a server holds at a time: connections and channels, sockets and requests count together. */
export class Budgets {
  readonly #most: Readonly<Record<Counter, number>>
  readonly #mostOfAll: Partial<Readonly<Record<Counter, number>>>
  readonly #held = new Map<string, Map<Counter, number>>()
  readonly #heldByAll = new Map<Counter, number>()

  constructor(limits: Limits) {
    this.#most = {
      connections: limits.connections,
      subscriptions: limits.userSubscriptions,
      transactions: limits.userTransactions,
      requests: limits.transactions,
      waitingBytes: limits.userWaitingBytes,
      memoryBytes: limits.waitingMemoryBytes,
      presenceBytes: limits.userPresenceBytes,
    }
    this.#mostOfAll = { memoryBytes: limits.waitingMemoryBytes }
  }

  /** Those who hold anything now. */
  get size(): number {
    return this.#held.size
  }

  /** What someone may hold. The same key is the same user. */
  of(key: string): Budget {
    return {
      take: (counter, amount = 1) => this.#take(key, counter, amount),
      release: (counter, amount = 1) => this.#release(key, counter, amount),
      held: (counter) => this.#of(key, counter),
    }
  }

  #of(key: string, counter: Counter): number {
    return this.#held.get(key)?.get(counter) ?? 0
  }

  #take(key: string, counter: Counter, amount: number): boolean {
    const held = this.#of(key, counter)
    const most = this.#most[counter]
    if (held > 0 && held + amount > most) return false
    const all = this.#heldByAll.get(counter) ?? 0
    const mostOfAll = this.#mostOfAll[counter] ?? Infinity
    if (all > 0 && all + amount > mostOfAll && held + amount > most * LITTLE) return false
    this.#add(key, counter, amount)
    return true
  }

  #release(key: string, counter: Counter, amount: number): void {
    this.#add(key, counter, -amount)
  }

  #add(key: string, counter: Counter, amount: number): void {
    this.#heldByAll.set(counter, (this.#heldByAll.get(counter) ?? 0) + amount)
    const mine = this.#held.get(key) ?? new Map<Counter, number>()
    const held = (mine.get(counter) ?? 0) + amount
    if (held > 0) mine.set(counter, held)
    else mine.delete(counter)
    if (mine.size > 0) this.#held.set(key, mine)
    else this.#held.delete(key)
  }
}

/** What one user holds, and may take. */
export interface Budget {
  /**
   * Takes some of it, 1 if nothing is said. `false` where that is more than may be, and nothing is taken then; one thing
   * alone always fits. What was taken is to be released.
   */
  take(counter: Counter, amount?: number): boolean
  release(counter: Counter, amount?: number): void
  held(counter: Counter): number
}

/** Whose budget something is: that of a user, or of an address where nobody says who they are. */
export function budgetKey(user: { readonly id: string } | undefined, address: string | undefined): string | undefined {
  if (user) return `user ${user.id}`
  return address === undefined ? undefined : `address ${address}`
}

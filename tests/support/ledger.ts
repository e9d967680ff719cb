import type { Store } from 'rowcast'
import type { LogRecord } from 'rowcast/server'
import { expect } from 'vitest'

/** What transactions are called that show only once they are confirmed, and are not kept before. */
export const ASKS = 'ask'

/** What is known of the transactions of one seat, over all stores that sat in it. */
export class Ledger {
  /** By id, in the order in which they were committed. */
  readonly #labels = new Map<string, string | undefined>()
  readonly #confirmed = new Set<string>()
  /** What `saved()` had resolved for, and which of that was refused by then. */
  readonly #saved = new Set<string>()
  readonly #savedRefusals = new Set<string>()
  readonly #dealt = new Set<string>()
  readonly #savedDealt = new Set<string>()
  #pending: readonly string[] = []
  #rejected: readonly string[] = []
  #here = new Set<string>()
  #stop: () => void = () => undefined

  /** Follows a store, which has just been opened. */
  watch({ sync }: Pick<Store, 'sync'>): void {
    this.#pending = []
    this.#rejected = []
    this.#here = new Set()
    let alive = true
    this.#stop = () => (alive = false)
    sync.rejected$.subscribe((list) => {
      if (alive) this.#rejected = list.map(({ id }) => id)
    })
    sync.pending$.subscribe((list) => {
      if (!alive) return
      for (const { id, label } of list) {
        this.#labels.set(id, label)
        this.#here.add(id)
      }
      const ids = list.map(({ id }) => id)
      for (const id of this.#pending)
        if (!ids.includes(id) && !this.#rejected.includes(id) && !this.#asks(id)) this.#confirmed.add(id)
      this.#pending = ids
    })
  }

  /** The store that is watched is told to save. What it has now is saved once that resolves. */
  async save(store: Pick<Store, 'saved'>): Promise<void> {
    const ids = [...this.#here].filter((id) => !this.#asks(id))
    const refusals = this.#rejected
    const dealt = [...this.#dealt]
    await store.saved()
    for (const id of ids) this.#saved.add(id)
    for (const id of refusals) this.#savedRefusals.add(id)
    for (const id of dealt) this.#savedDealt.add(id)
  }

  /** Somebody has retried or discarded a refused one. */
  dealt(id: string): void {
    this.#dealt.add(id)
  }

  /** The store that is watched is gone. What is pending and refused in it is given to `expectKept`. */
  end(): Left {
    this.#stop()
    return {
      pending: this.#pending.filter((id) => !this.#asks(id)),
      rejected: this.#rejected,
      known: [...this.#labels.keys()],
    }
  }

  /** A store was opened on what the one before left: nothing that was saved is missing, nothing is out of order. */
  expectKept(left: Left): void {
    const here = new Set([...this.#pending, ...this.#rejected])
    for (const id of this.#saved)
      if (!this.#dealt.has(id) && !this.#confirmed.has(id)) expect(here, `saved: ${this.#name(id)}`).toContain(id)
    for (const id of this.#savedRefusals)
      if (!this.#dealt.has(id)) expect(this.#rejected, `refused and saved: ${this.#name(id)}`).toContain(id)
    for (const id of this.#savedDealt)
      expect(this.#rejected, `dealt with and saved: ${this.#name(id)}`).not.toContain(id)
    // That they were dealt with was not saved: they are to be dealt with again.
    for (const id of this.#rejected) this.#dealt.delete(id)
    const again = this.#pending.filter((id) => left.pending.includes(id))
    expect(again, 'the first of what was pending').toEqual(left.pending.slice(0, again.length))
    expect(this.#pending, 'in the order of their commits').toEqual(
      left.known.filter((id) => this.#pending.includes(id)),
    )
  }

  /** All of what was there when the store ended. */
  expectAll(left: Left): void {
    expect(this.#pending, 'pending').toEqual(left.pending)
    expect(this.#rejected, 'refused').toEqual(left.rejected)
  }

  /** At rest: nothing acknowledged is lost, and nothing refused was applied. `crashed`: what was not saved may be gone. */
  expectDone(log: readonly LogRecord[], crashed: boolean): void {
    const logged = new Set(log.map(({ id }) => id))
    expect(this.#pending).toEqual([])
    // What asks first enters when its turn has come, before what was committed during its turn.
    const isOrdered = (id: string | undefined): id is string =>
      id !== undefined && this.#labels.has(id) && !this.#asks(id)
    expect([...logged].filter(isOrdered), 'in the order of their commits').toEqual(
      [...this.#labels.keys()].filter((id) => logged.has(id) && isOrdered(id)),
    )
    for (const id of this.#confirmed) expect(logged, `confirmed: ${this.#name(id)}`).toContain(id)
    for (const id of this.#rejected) expect(logged, `refused: ${this.#name(id)}`).not.toContain(id)
    for (const id of crashed ? this.#saved : this.#labels.keys()) {
      if (this.#asks(id) || this.#dealt.has(id) || this.#rejected.includes(id)) continue
      expect(logged, `committed: ${this.#name(id)}`).toContain(id)
    }
  }

  #asks(id: string): boolean {
    return this.#labels.get(id)?.startsWith(ASKS) ?? false
  }

  #name(id: string): string {
    return `'${this.#labels.get(id) ?? 'no label'}' ${id}`
  }
}

/** What a store had when it ended. */
export interface Left {
  readonly pending: readonly string[]
  readonly rejected: readonly string[]
  readonly known: readonly string[]
}

import { Subject } from 'rxjs'
import type { Channel } from './channel.ts'
import { type HeldLock, holdLock } from './held-lock.ts'
import { tabLock, type TabState } from './wire.ts'

interface Member {
  /** `undefined` until it has said something. */
  state: TabState | undefined
  /** It was asked something and says nothing. */
  silent: boolean
  readonly watch: AbortController
}

export interface LivingTab {
  readonly id: string
  readonly state: TabState
}

/**
 * The tabs that are open. Each holds a lock of its own for its life, and all others wait for it: they are told at once
 * when it closes or crashes, without heartbeats.
 */
export class Members {
  readonly changed$: Subject<void> = new Subject<void>()
  readonly removed$: Subject<string> = new Subject<string>()
  readonly id: string
  readonly #name: string
  readonly #channel: Channel
  readonly #onFailure: (error: unknown) => void
  readonly #others = new Map<string, Member>()
  #own: TabState
  #entry: AbortController | undefined
  #lock: HeldLock | undefined
  /** Whether those who were there before have been looked up. */
  #looked = false

  constructor(name: string, id: string, own: TabState, channel: Channel, onFailure: (error: unknown) => void) {
    this.#name = name
    this.id = id
    this.#own = own
    this.#channel = channel
    this.#onFailure = onFailure
  }

  get own(): TabState {
    return this.#own
  }

  /** Whether each tab that is open has been heard, or given up on: only then is it known who provides what. */
  get isSettled(): boolean {
    return this.#looked && [...this.#others.values()].every(({ state, silent }) => state !== undefined || silent)
  }

  get unheard(): readonly string[] {
    return [...this.#others].filter(([, { state }]) => state === undefined).map(([id]) => id)
  }

  /** All that have said something, this one among them, oldest first. */
  get all(): readonly LivingTab[] {
    const tabs: LivingTab[] = [{ id: this.id, state: this.#own }]
    for (const [id, { state }] of this.#others) if (state) tabs.push({ id, state })
    return tabs.toSorted((a, b) => a.state.joined - b.state.joined || (a.id < b.id ? -1 : 1))
  }

  /** Of two that say they lead, one was passed over while it slept. */
  get leader(): LivingTab | undefined {
    let leader: LivingTab | undefined
    for (const tab of this.all)
      if (tab.state.epoch !== undefined && tab.state.epoch > (leader?.state.epoch ?? -Infinity)) leader = tab
    return leader
  }

  /** Those that may lead, in the order in which they take over from one that has fallen silent: visible ones first. */
  get candidates(): readonly LivingTab[] {
    return this.all
      .filter(({ id, state }) => state.candidate && !state.frozen && !this.isSilent(id))
      .toSorted((a, b) => Number(b.state.visible) - Number(a.state.visible))
  }

  isSilent(id: string): boolean {
    return this.#others.get(id)?.silent ?? false
  }

  isUnheard(id: string): boolean {
    const member = this.#others.get(id)
    return member !== undefined && member.state === undefined
  }

  /** Takes this tab's lock, then says hello. */
  join(): void {
    this.#entry = new AbortController()
    this.#join(this.#entry.signal).catch(this.#onFailure)
  }

  leave(): void {
    this.#entry?.abort()
    this.#entry = undefined
    this.#channel.send({ kind: 'bye' })
    this.#channel.flush()
    this.#lock?.release()
    this.#lock = undefined
    this.#looked = false
    for (const { watch } of this.#others.values()) watch.abort()
    this.#others.clear()
  }

  /** Changes what this tab says of itself. */
  update(changes: Partial<TabState>): void {
    this.#own = { ...this.#own, ...changes }
    if (this.#lock) this.#channel.send({ kind: 'state', state: this.#own })
    this.changed$.next()
  }

  heard(id: string): void {
    const member = this.#others.get(id)
    if (!member?.silent) return
    member.silent = false
    this.changed$.next()
  }

  setState(id: string, state: TabState, answer: boolean): void {
    // Before it holds its own lock, or after it has left, this tab doesn't take part; it will ask for states.
    if (!this.#lock) return
    this.#add(id).state = state
    if (answer) this.#channel.send({ kind: 'state', state: this.#own }, id)
    this.changed$.next()
  }

  silence(id: string): void {
    const member = this.#others.get(id)
    if (!member || member.silent) return
    member.silent = true
    this.changed$.next()
  }

  remove(id: string): void {
    const member = this.#others.get(id)
    if (!member) return
    member.watch.abort()
    this.#others.delete(id)
    this.removed$.next(id)
    this.changed$.next()
  }

  async #join(signal: AbortSignal): Promise<void> {
    let lock: HeldLock
    try {
      lock = await holdLock(tabLock(this.#name, this.id), { signal })
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    if (signal.aborted) return lock.release()
    this.#lock = lock
    this.#channel.send({ kind: 'hello', state: this.#own })
    const { held = [] } = await navigator.locks.query()
    if (signal.aborted) return
    const prefix = tabLock(this.#name, '')
    for (const { name } of held)
      if (name?.startsWith(prefix) && name !== prefix + this.id) this.#add(name.slice(prefix.length))
    this.#looked = true
    this.changed$.next()
  }

  #add(id: string): Member {
    const known = this.#others.get(id)
    if (known) return known
    const watch = new AbortController()
    const member: Member = { state: undefined, silent: false, watch }
    this.#others.set(id, member)
    navigator.locks
      .request(tabLock(this.#name, id), { mode: 'shared', signal: watch.signal }, () => undefined)
      .then(
        () => {
          return this.#others.get(id) === member ? this.remove(id) : undefined
        },
        (error: unknown) => {
          if (!watch.signal.aborted) this.#onFailure(error)
        },
      )
    return member
  }
}

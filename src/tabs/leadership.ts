import { type HeldLock, holdLock } from './held-lock.ts'
import { isLate } from './late.ts'
import type { Members } from './members.ts'
import type { Message } from './wire.ts'
import { leaderLock } from './wire.ts'

export interface LeadershipOptions {
  readonly name: string
  readonly term: number
  readonly silenceMs: number
  readonly members: Members
  readonly send: (message: Message, to: string) => void
  /** The leader was asked to yield: it must say something. */
  readonly onAsked: (leader: string) => void
  readonly onFailure: (error: unknown) => void
}

/** The longest time that a timer can be set to. */
const longestMs = 2 ** 31 - 1

/**
 * Candidates queue for one lock; who holds it leads. A leader that has fallen silent has its lock stolen, and steps down
 * when it finds out.
 */
export class Leadership {
  readonly #options: LeadershipOptions
  #standing = false
  #paused = false
  #queue: AbortController | undefined
  #held: HeldLock | undefined
  /** A hidden tab lets visible candidates pass once. */
  #letPass = true
  #term: ReturnType<typeof setTimeout> | undefined
  #vacancy: ReturnType<typeof setTimeout> | undefined
  /** The leader that was asked to yield and hasn't answered. */
  asked: string | undefined

  constructor(options: LeadershipOptions) {
    this.#options = options
    options.members.changed$.subscribe(() => this.#onChanged())
  }

  get isLeader(): boolean {
    return this.#held !== undefined
  }

  stand(): void {
    if (this.#standing) return
    this.#standing = true
    this.#enter()
  }

  abdicate(): void {
    if (!this.#standing) return
    this.#standing = false
    this.#leave()
  }

  /** While the page is frozen or put away it neither leads nor stands. */
  pause(): void {
    this.#paused = true
    if (this.#standing) this.#leave()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#standing) this.#enter()
  }

  /** For good. */
  close(): void {
    this.abdicate()
    clearTimeout(this.#term)
    clearTimeout(this.#vacancy)
  }

  /** Asked by a visible candidate. */
  yield(): void {
    const { visible, since } = this.#options.members.own
    if (!this.#held || visible || Date.now() - since < this.#options.term) return
    this.#leave()
    this.#enter()
  }

  /** The leader has fallen silent: the first candidates take over, one more with each attempt. */
  onSilent(id: string, attempt: number): void {
    const { members } = this.#options
    if (members.leader?.id !== id || !this.#active || this.#held) return
    const rank = members.candidates.findIndex((candidate) => candidate.id === members.id)
    if (rank >= 0 && rank < attempt) this.#request(true)
  }

  get #active(): boolean {
    return this.#standing && !this.#paused
  }

  #enter(): void {
    this.#options.members.update({ candidate: true })
    this.#letPass = true
    this.#request(false)
  }

  #leave(): void {
    this.#queue?.abort()
    this.#queue = undefined
    const held = this.#held
    this.#held = undefined
    this.#options.members.update({ candidate: false, epoch: undefined })
    held?.release()
  }

  #request(steal: boolean): void {
    this.#queue?.abort()
    const queue = new AbortController()
    this.#queue = queue
    this.#await(queue, steal).catch((error: unknown) => {
      if (!queue.signal.aborted) this.#options.onFailure(error)
    })
  }

  async #await(queue: AbortController, steal: boolean): Promise<void> {
    const held = await holdLock(leaderLock(this.#options.name), steal ? { steal } : { signal: queue.signal })
    if (queue.signal.aborted) return held.release()
    queue.signal.addEventListener('abort', () => held.release())
    // A page that slept is told of the lock only now, and of its theft next: before an answer to what it asks now.
    await navigator.locks.query()
    if (queue.signal.aborted) return
    if (held.isHeld) this.#onGranted(held, steal)
    else this.#request(false)
  }

  #onGranted(held: HeldLock, stolen: boolean): void {
    const { members } = this.#options
    const { visible } = members.own
    if (!stolen && this.#letPass && !visible && members.candidates.some(({ state }) => state.visible)) {
      this.#letPass = false
      held.release()
      return this.#request(false)
    }
    this.#queue = undefined
    this.#held = held
    const now = Date.now()
    const epochs = members.all.map(({ state }) => state.epoch ?? 0)
    members.update({ epoch: Math.max(now, ...epochs.map((epoch) => epoch + 1)), since: now })
    held.ended.then(() => this.#onEnded(held), this.#options.onFailure)
  }

  #onEnded(held: HeldLock): void {
    if (this.#held !== held) return
    this.#held = undefined
    this.#options.members.update({ epoch: undefined })
    if (this.#active && !this.#queue) this.#request(false)
  }

  #onChanged(): void {
    clearTimeout(this.#term)
    const { members, term } = this.#options
    const { leader, own } = members
    this.#watchVacancy(leader !== undefined)
    if (this.asked !== undefined && (leader?.id !== this.asked || leader.state.visible)) this.asked = undefined
    if (!leader || leader.state.visible || !this.#active || this.#held || !own.visible || term === Infinity) return
    const leftMs = leader.state.since + term - Date.now()
    this.#term = setTimeout(() => this.#askToYield(leader.id), Math.min(Math.max(leftMs, 0) + 1, longestMs))
  }

  #askToYield(leader: string): void {
    const { send, onAsked, silenceMs } = this.#options
    this.asked = leader
    send({ kind: 'yield' }, leader)
    onAsked(leader)
    this.#term = setTimeout(() => this.#askToYield(leader), silenceMs)
  }

  /** Nobody says that they lead, and yet the lock isn't given to us: its holder sleeps. */
  #watchVacancy(isFilled: boolean): void {
    const { members, silenceMs } = this.#options
    if (isFilled || !members.isSettled || !this.#active || this.#held) {
      clearTimeout(this.#vacancy)
      this.#vacancy = undefined
      return
    }
    if (this.#vacancy !== undefined) return
    const rank = members.candidates.findIndex(({ id }) => id === members.id)
    const boundMs = silenceMs * (1 + Math.max(rank, 0))
    const since = performance.now()
    this.#vacancy = setTimeout(() => {
      this.#vacancy = undefined
      if (isLate(since, boundMs, silenceMs)) this.#watchVacancy(members.leader !== undefined)
      else if (!members.leader && this.#active && !this.#held) this.#request(true)
    }, boundMs)
  }
}

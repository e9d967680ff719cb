import type { Steps } from '../changes/index.ts'

/** How long what has come is dealt with in one turn of the event loop, in milliseconds; one piece of it may take longer. */
const TURN_MS = 5
/** So long those who have had little are served in one turn, in milliseconds. */
const LONGEST_TURN_MS = 50
/** What somebody has had counts half as much after so long, in milliseconds. */
const HALF_MS = 500
/** Who has had more than this lately is served once all sockets were read, in milliseconds. */
const MUCH_MS = 100
/** Who has had less than this lately has had nothing, in milliseconds. */
const NOTHING_MS = 0.01
const SWEEP_MS = 1_000

interface Owner {
  /** What this owner had had at `at`, in milliseconds. */
  had: number
  at: number
  /** The lanes with work, in turn. */
  readonly lanes: Lane[]
}

/**
 * Shares the time for what comes in among those whose it is: who has had least lately is served next, so that whoever asks
 * for little never waits for all that others ask for (decay-usage scheduling, as of Unix). Where there is time for all,
 * everything is done as it comes.
 */
export class FairShare {
  readonly #now: () => number
  readonly #owners = new Map<string, Owner>()
  /** Those with work. */
  readonly #ready = new Set<Owner>()
  /** What this turn of the event loop has taken, in milliseconds. */
  #spent = 0
  #planned = false
  #sweptAt = 0

  /** @param now a clock that never goes back, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Those who have had anything lately. */
  get size(): number {
    return this.#owners.size
  }

  /** For what one connection brings. `owner` tells whose that is by now. */
  lane(owner: () => string): Lane {
    return new Lane(this, owner)
  }

  /** Whether a piece of somebody's work may be done at once: there is time, nobody waits, and it is not one who has had much. */
  isFree(key: string): boolean {
    if (this.#ready.size > 0 || this.#spent >= TURN_MS) return false
    const owner = this.#owners.get(key)
    return owner === undefined || hadBy(owner, this.#now()) < MUCH_MS
  }

  /** Does work for as long as a turn takes. Whether it is done. */
  run(key: string, work: Steps<void>): boolean {
    const began = this.#now()
    this.#plan()
    try {
      for (;;) {
        if (work.next().done) return true
        if (this.#now() - began >= TURN_MS) return false
      }
    } finally {
      const now = this.#now()
      const owner = this.#owner(key)
      owner.had = hadBy(owner, now) + (now - began)
      owner.at = now
      this.#spent += now - began
    }
  }

  /** A lane has got work. */
  enter(key: string, lane: Lane): void {
    const owner = this.#owner(key)
    owner.lanes.push(lane)
    this.#ready.add(owner)
    this.#plan()
  }

  #owner(key: string): Owner {
    const owner = this.#owners.get(key) ?? { had: 0, at: 0, lanes: [] }
    this.#owners.set(key, owner)
    return owner
  }

  /** The sockets are read between two turns. */
  #plan(): void {
    if (this.#planned) return
    this.#planned = true
    setImmediate(() => {
      this.#planned = false
      this.#spent = 0
      this.#serve()
      this.#sweep()
    })
  }

  #serve(): void {
    const began = this.#now()
    try {
      while (this.#ready.size > 0) {
        const { owner, had } = this.#next()
        const tookMs = this.#now() - began
        if (tookMs >= (had < MUCH_MS ? LONGEST_TURN_MS : TURN_MS)) break
        const lane = owner.lanes.shift()!
        if (owner.lanes.length === 0) this.#ready.delete(owner)
        lane.serve()
      }
    } finally {
      if (this.#ready.size > 0) this.#plan()
    }
  }

  /** Who has had least of those with work. */
  #next(): { readonly owner: Owner; readonly had: number } {
    const now = this.#now()
    let next: Owner | undefined
    let had = Infinity
    for (const owner of this.#ready) {
      const its = hadBy(owner, now)
      if (its < had) [next, had] = [owner, its]
    }
    return { owner: next!, had }
  }

  #sweep(): void {
    const now = this.#now()
    if (now - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = now
    for (const [key, owner] of this.#owners)
      if (owner.lanes.length === 0 && hadBy(owner, now) < NOTHING_MS) this.#owners.delete(key)
  }
}

function hadBy({ had, at }: Owner, now: number): number {
  return had * 2 ** ((at - now) / HALF_MS)
}

/** What one connection brings: its pieces of work are done in their order. */
export class Lane {
  readonly #share: FairShare
  readonly #owner: () => string
  readonly #waiting: Steps<void>[] = []

  constructor(share: FairShare, owner: () => string) {
    this.#share = share
    this.#owner = owner
  }

  get length(): number {
    return this.#waiting.length
  }

  /** Begins a piece of work at once; what is left of it after a turn goes on in the next. `false` where it has to wait for its turn. */
  tryNow(work: Steps<void>): boolean {
    const key = this.#owner()
    if (this.#waiting.length > 0 || !this.#share.isFree(key)) return false
    if (!this.#share.run(key, work)) this.push(work)
    return true
  }

  /** Does a piece of work in its turn. */
  push(work: Steps<void>): void {
    if (this.#waiting.push(work) === 1) this.#share.enter(this.#owner(), this)
  }

  /** Its turn: one piece, or a part of it. */
  serve(): void {
    let isDone = true
    try {
      isDone = this.#share.run(this.#owner(), this.#waiting[0]!)
    } finally {
      if (isDone) this.#waiting.shift()
      if (this.#waiting.length > 0) this.#share.enter(this.#owner(), this)
    }
  }
}

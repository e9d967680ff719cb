import type { Steps } from '../changes/index.ts'
import { RecentUse } from './recent-use.ts'

/** How long what has come is dealt with in one turn of the event loop, in milliseconds; one piece of it may take longer. */
const TURN_MS = 5
/** So long those who have had little are served in one turn, in milliseconds. */
const LONGEST_TURN_MS = 50

/**
 * Shares the time for what comes in among those whose it is: who has had least lately is served next, so that whoever asks
 * for little never waits for all that others ask for. Where there is time for all, everything is done as it comes.
 */
export class FairShare {
  readonly #now: () => number
  readonly #use: RecentUse<string>
  /** The lanes with work, by owner, in turn. */
  readonly #ready = new Map<string, Lane[]>()
  /** What this turn of the event loop has taken, in milliseconds. */
  #spent = 0
  #planned = false

  /** @param now a clock that never goes back, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#use = new RecentUse(now)
  }

  /** Those who have had anything lately. */
  get size(): number {
    return this.#use.size
  }

  /** For what one connection brings. `owner` tells whose that is by now. */
  lane(owner: () => string): Lane {
    return new Lane(this, owner)
  }

  /** Whether a piece of somebody's work may be done at once: there is time, nobody waits, and it is not one who has had much. */
  isFree(key: string): boolean {
    return this.#ready.size === 0 && this.#spent < TURN_MS && !this.#use.isMuch(key)
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
      const ms = this.#now() - began
      this.#use.add(key, ms)
      this.#spent += ms
    }
  }

  /** A lane has got work. */
  enter(key: string, lane: Lane): void {
    const lanes = this.#ready.get(key)
    if (lanes) lanes.push(lane)
    else this.#ready.set(key, [lane])
    this.#plan()
  }

  /** The sockets are read between two turns. */
  #plan(): void {
    if (this.#planned) return
    this.#planned = true
    setImmediate(() => {
      this.#planned = false
      this.#spent = 0
      this.#serve()
    })
  }

  #serve(): void {
    const began = this.#now()
    try {
      while (this.#ready.size > 0) {
        const owner = this.#next()
        const tookMs = this.#now() - began
        // Who has had much lately is served once all sockets were read.
        if (tookMs >= (this.#use.isMuch(owner) ? TURN_MS : LONGEST_TURN_MS)) break
        const lanes = this.#ready.get(owner)!
        const lane = lanes.shift()!
        if (lanes.length === 0) this.#ready.delete(owner)
        lane.serve()
      }
    } finally {
      if (this.#ready.size > 0) this.#plan()
    }
  }

  /** Who has had least of those with work. */
  #next(): string {
    let next = ''
    let least = Infinity
    for (const owner of this.#ready.keys()) {
      const had = this.#use.of(owner)
      if (had < least) [next, least] = [owner, had]
    }
    return next
  }
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

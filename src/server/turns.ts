import { setImmediate as immediate } from 'node:timers/promises'
import type { Steps } from '../changes/index.ts'

/**
 * Shares the event loop among all that takes long: one piece of such work in a turn of the loop, whoever asks, so that
 * sockets and short requests are served in between, however many are at long work.
 */
class Turns {
  readonly #waiting: (() => void)[] = []
  #planned = false

  /** Resolves when it is one's turn to work, for some milliseconds. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#plan()
    })
  }

  #plan(): void {
    if (this.#planned) return
    this.#planned = true
    setImmediate(() => {
      this.#planned = false
      this.#waiting.shift()?.()
      if (this.#waiting.length > 0) this.#plan()
    })
  }
}

/** Of this process, which has one event loop. */
const turns: Turns = new Turns()

/** How long a piece of work takes at most, about, in milliseconds. */
const TURN_MS = 5
/** The same of work that others wait for: it goes on for as long as it has waited itself, within this. */
const LONGEST_TURN_MS = 40

/** Long work by one who looks at the clock: `pause` is awaited where a turn is over. */
export class Turn {
  readonly #isUrgent: boolean
  #began = performance.now()
  #ms = TURN_MS
  #before = 0

  /** @param urgency whether other long work has its turn before it goes on, or everyone waits for it and only what has come is dealt with in between */
  constructor(urgency: 'patient' | 'urgent' = 'patient') {
    this.#isUrgent = urgency === 'urgent'
  }

  /** Whether others are to have their turn. */
  get over(): boolean {
    return performance.now() - this.#began >= this.#ms
  }

  /** How long has been worked, in milliseconds. */
  get worked(): number {
    return this.#before + performance.now() - this.#began
  }

  /** Lets the others have their turn. */
  async pause(): Promise<void> {
    const from = performance.now()
    this.#before += from - this.#began
    await (this.#isUrgent ? immediate() : turns.take())
    this.#began = performance.now()
    if (this.#isUrgent) this.#ms = Math.min(Math.max(TURN_MS, this.#began - from), LONGEST_TURN_MS)
  }
}

/** Does work in turns with others. Throws what it throws. */
export async function inTurns<Result>(steps: Steps<Result>, turn: Turn = new Turn()): Promise<Result> {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    if (turn.over) await turn.pause()
  }
}

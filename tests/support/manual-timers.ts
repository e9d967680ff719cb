import type { Timers } from 'rowcast/transport'

/** Time that passes when a test says so. */
export class ManualTimers implements Timers {
  readonly #random: () => number
  #now = 0
  #waiting: { readonly at: number; readonly run: () => void }[] = []

  constructor(random: () => number = () => 0) {
    this.#random = random
  }

  after(ms: number, run: () => void): () => void {
    const one = { at: this.#now + ms, run }
    this.#waiting.push(one)
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== one)
    }
  }

  random(): number {
    return this.#random()
  }

  get pending(): number {
    return this.#waiting.length
  }

  /** Lets time pass until the next thing is due, and runs it. */
  next(): void {
    const [first] = this.#waiting.toSorted((a, b) => a.at - b.at)
    if (!first) return
    this.#waiting = this.#waiting.filter((other) => other !== first)
    this.#now = first.at
    first.run()
  }
}

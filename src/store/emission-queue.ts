/**
 * What subscribers are to be told, in order. A write made by a subscriber is carried out at once and told after what is
 * being told now, without recursion. What a subscriber throws stops nobody else: it surfaces as an uncaught error, as
 * RxJS does with the errors of its subscribers.
 */
export class EmissionQueue {
  #waiting: (() => void)[] = []
  #draining = false

  get draining(): boolean {
    return this.#draining
  }

  push(run: () => void): void {
    this.#waiting.push(run)
  }

  drain(): void {
    if (this.#draining) return
    this.#draining = true
    try {
      for (let at = 0; at < this.#waiting.length; at++) this.guard(this.#waiting[at]!)
    } finally {
      this.#waiting = []
      this.#draining = false
    }
  }

  /** Runs something of which is told only once it has ended. */
  hold(run: () => void): void {
    if (this.#draining) {
      run()
      return
    }
    this.#draining = true
    try {
      run()
    } finally {
      this.#draining = false
      this.drain()
    }
  }

  /** Runs one listener. */
  guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      reportUncaught(error)
    }
  }
}

/** Throws where nobody but the host's handler of uncaught errors can catch it. */
function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

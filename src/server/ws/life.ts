/** What tells whether the other side of a connection lives: whatever comes from it, and whatever leaves towards it. */
export class Life {
  #isAsked = false
  #waiting = 0

  /** Something has come. */
  heard(): void {
    this.#isAsked = false
  }

  /** Looks at what waits to leave, in bytes: it gets less only where the other side takes it. */
  look(waiting: number): void {
    if (waiting < this.#waiting) this.heard()
    this.#waiting = waiting
  }

  /** It is being asked. `false` where it has given no sign of life since it was asked last. */
  ask(): boolean {
    if (this.#isAsked) return false
    this.#isAsked = true
    return true
  }
}

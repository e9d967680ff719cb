/** What a store keeps of rows that were read, in bytes, where nobody else holds them. */
const ROW_BYTES: number = 256 * 1024 * 1024

/** What of a store lets go of rows. */
export interface RowHolder {
  /**
   * Lets go of rows that were not asked for since it came by last, going on from there, until that is enough. Returns
   * whether it came to the end.
   */
  fade(isEnough: () => boolean): boolean
}

/**
 * The bound of the rows that a store keeps, of all tables together: a clock that comes by again and lets go of what was
 * not asked for since (second chance), so that a read costs a flag and no list is kept in order. Sizes are estimates.
 */
export class RowMemory {
  /** How much is kept, in bytes. */
  most: number = ROW_BYTES
  /** What is held now. Who holds rows counts it. */
  bytes = 0
  readonly #holders: RowHolder[] = []
  #at = 0
  #held = false

  add(holder: RowHolder): void {
    this.#holders.push(holder)
  }

  /** A transaction may have to put back what it has changed: nothing is let go until it has ended. */
  hold(): void {
    this.#held = true
  }

  /** The transaction has ended. */
  release(): void {
    this.#held = false
    this.makeRoom()
  }

  /** Lets go of rows where there are too many. The one that was just read may be among them: have its object first. */
  makeRoom(): void {
    if (this.bytes > this.most && !this.#held) this.#sweep()
  }

  #sweep(): void {
    // More than is needed, so that not each further row has the clock go on.
    const least = this.most - this.most / 8
    const isEnough = (): boolean => this.bytes <= least
    // The first time round, what was asked for is let off.
    for (let ends = 0; ends <= 2 * this.#holders.length && !isEnough(); ends++)
      if (this.#holders[this.#at]!.fade(isEnough)) this.#at = (this.#at + 1) % this.#holders.length
  }
}

/** `[from, to)`: the first element, and the one after the last. */
export type DirtyRange = readonly [from: number, to: number]

/** The slots of one attribute that changed since they were last taken. Costs what was marked, not what there is. */
export class DirtySlots {
  #marked: Uint8Array
  #slots: number[] = []

  constructor(capacity: number) {
    this.#marked = new Uint8Array(capacity)
  }

  get empty(): boolean {
    return this.#slots.length === 0
  }

  mark(slot: number): void {
    if (this.#marked[slot] === 1) return
    this.#marked[slot] = 1
    this.#slots.push(slot)
  }

  /** Forgets all marks, for more slots. */
  reset(capacity: number): void {
    this.#marked = new Uint8Array(capacity)
    this.#slots = []
  }

  /**
   * The marked slots below `count` as ranges of elements, ascending; all marks are gone then. Ranges less than `gap`
   * slots apart become one.
   */
  take(count: number, size: number, gap: number): DirtyRange[] {
    const slots = this.#sorted(count)
    this.#slots = []
    const ranges: DirtyRange[] = []
    let from = -1
    let to = -1
    for (const slot of slots) {
      this.#marked[slot] = 0
      if (slot >= count) continue
      if (from < 0) from = slot
      else if (slot - to >= gap) {
        ranges.push([from * size, to * size])
        from = slot
      }
      to = slot + 1
    }
    if (from >= 0) ranges.push([from * size, to * size])
    return ranges
  }

  /** Where many slots are marked, looking through all of them is faster than sorting. */
  #sorted(count: number): readonly number[] {
    if (this.#slots.length * 16 < count) return this.#slots.toSorted((a, b) => a - b)
    const slots: number[] = []
    for (let slot = 0; slot < this.#marked.length; slot++) if (this.#marked[slot] === 1) slots.push(slot)
    return slots
  }
}

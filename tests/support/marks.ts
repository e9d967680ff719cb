import type { Random } from './random.ts'

/** Values that no other write has: where one turns up it is known where it comes from. */
export class Marks {
  readonly #random: Random
  #count = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** A number below 100 with a fraction: nothing else that travels has one. */
  number(): number {
    return 1 + this.#random.int(99) + (2 * this.#count++ + 1) / 2e6
  }

  color(): string {
    return `color-${this.#count++}.`
  }
}

/** The marks in a text. */
export function marksIn(text: string): readonly string[] {
  return text.match(/\d+\.\d+|color-\d+\./g) ?? []
}

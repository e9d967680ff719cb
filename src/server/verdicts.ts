import type { Access } from './access.ts'
import type { Refusal } from './refusals.ts'

/** How many are remembered. */
const KEPT = 10_000

/** The verdicts on refused transactions, for those who ask twice. Each is its author's: nobody else learns it by the id. */
export class Verdicts {
  readonly #refused = new Map<string, Refusal>()

  get(access: Access, id: string): Refusal | undefined {
    return this.#refused.get(keyOf(access, id))
  }

  delete(access: Access, id: string): void {
    this.#refused.delete(keyOf(access, id))
  }

  set(access: Access, id: string, { code, reason }: Refusal): void {
    this.#refused.set(keyOf(access, id), { code, reason })
    if (this.#refused.size > KEPT) this.#refused.delete(this.#refused.keys().next().value!)
  }
}

function keyOf({ user }: Access, id: string): string {
  return `${user?.id ?? ''}\0${id}`
}

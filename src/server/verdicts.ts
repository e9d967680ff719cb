import type { Access } from './access.ts'
import type { Refusal } from './refusals.ts'

/** What one takes besides its texts, in bytes. */
const ENTRY_BYTES = 200

/** The verdicts on refused transactions, for those who ask twice. Each is its author's: nobody else learns it by the id. */
export class Verdicts {
  readonly #refused = new Map<string, Refusal>()
  readonly #most: number
  #bytes = 0

  /** @param most bytes that are kept: beyond, the oldest are forgotten */
  constructor(most: number) {
    this.#most = most
  }

  get(access: Access, id: string): Refusal | undefined {
    return this.#refused.get(keyOf(access, id))
  }

  delete(access: Access, id: string): void {
    this.#refused.delete(keyOf(access, id))
  }

  set(access: Access, id: string, { code, reason }: Refusal): void {
    const key = keyOf(access, id)
    this.#forget(key)
    this.#refused.set(key, { code, reason })
    this.#bytes += bytesOf(key, reason)
    while (this.#bytes > this.#most) this.#forget(this.#refused.keys().next().value!)
  }

  #forget(key: string): void {
    const known = this.#refused.get(key)
    if (!known) return
    this.#refused.delete(key)
    this.#bytes -= bytesOf(key, known.reason)
  }
}

function bytesOf(key: string, reason: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(reason) + ENTRY_BYTES
}

function keyOf({ user }: Access, id: string): string {
  return `${user?.id ?? ''}\0${id}`
}

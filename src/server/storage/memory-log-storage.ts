import { NotFoundError, RowcastError, StoreClosedError } from '../../errors/index.ts'
import { assertAppend } from '../assert-append.ts'
import { digestOf } from '../digest.ts'
import type { Log, LogEntry, LogStorage } from '../log.ts'
import { assertDatabaseName, assertPayloads, assertSequence } from '../names.ts'

/** Logs that are gone with the process, for tests and first steps. It keeps the contract but for durability. */
export function memoryLogStorage(): LogStorage {
  return new MemoryLogStorage()
}

interface Kept {
  origin: number
  payloads: string[]
  /** Of each payload. */
  bytes: number[]
  open: number
}

class MemoryLogStorage implements LogStorage {
  readonly #logs = new Map<string, Kept>()

  async open(database: string, options: { readonly create?: boolean; readonly start?: number } = {}): Promise<Log> {
    const { create = false, start = 0 } = options
    assertDatabaseName(database)
    assertSequence(start, `the start of the log of '${database}'`)
    let kept = this.#logs.get(database)
    if (!kept) {
      if (!create) throw new NotFoundError(`there is no log of '${database}': open it with create to begin one`)
      kept = { origin: start, payloads: [], bytes: [], open: 0 }
      this.#logs.set(database, kept)
    }
    return new MemoryLog(`log of '${database}'`, kept)
  }

  async list(): Promise<readonly string[]> {
    return [...this.#logs.keys()].toSorted()
  }

  async delete(database: string): Promise<void> {
    assertDatabaseName(database)
    if ((this.#logs.get(database)?.open ?? 0) > 0) {
      throw new RowcastError('log-in-use', `the log of '${database}' is open: close it before it is deleted`)
    }
    this.#logs.delete(database)
  }
}

class MemoryLog implements Log {
  readonly #what: string
  readonly #kept: Kept
  #isOpen = true

  constructor(what: string, kept: Kept) {
    this.#what = what
    this.#kept = kept
    kept.open += 1
  }

  async bounds(): Promise<{ readonly first: number; readonly last: number }> {
    this.#assertOpen()
    return { first: this.#kept.origin + 1, last: this.#last }
  }

  async append(payloads: readonly string[], expected: number, digest?: string): Promise<void> {
    this.#assertOpen()
    assertPayloads(payloads, this.#what)
    assertAppend({ log: this.#what, expected, digest, last: this.#last }, (sequence) => {
      const payload = this.#kept.payloads[sequence - this.#kept.origin - 1]
      return payload === undefined ? undefined : digestOf(payload)
    })
    for (const payload of payloads) {
      this.#kept.payloads.push(payload)
      this.#kept.bytes.push(Buffer.byteLength(payload))
    }
  }

  async *read(from: number, limit: number = Infinity): AsyncGenerator<LogEntry, undefined> {
    this.#assertOpen()
    const end = Math.min(this.#last, from + limit - 1)
    if (!(from > this.#kept.origin)) throw this.#trimmed(from)
    for (let sequence = from; sequence <= end; sequence += 1) {
      this.#assertOpen()
      const payload = this.#kept.payloads[sequence - this.#kept.origin - 1]
      if (payload === undefined) throw this.#trimmed(sequence)
      yield { sequence, payload }
    }
  }

  async bytes(from: number, to: number): Promise<number> {
    this.#assertOpen()
    const { origin, bytes } = this.#kept
    let sum = 0
    for (let at = Math.max(from - origin - 1, 0); at < Math.min(to - origin, bytes.length); at += 1) sum += bytes[at]!
    return sum
  }

  async trim(before: number): Promise<void> {
    this.#assertOpen()
    assertSequence(before, `the number to trim the ${this.#what} before`)
    const dropped = Math.max(0, Math.min(before - 1, this.#last) - this.#kept.origin)
    this.#kept.payloads.splice(0, dropped)
    this.#kept.bytes.splice(0, dropped)
    this.#kept.origin += dropped
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#kept.open -= 1
  }

  get #last(): number {
    return this.#kept.origin + this.#kept.payloads.length
  }

  #trimmed(from: number): NotFoundError {
    return new NotFoundError(
      `the ${this.#what} has no entry ${from}: it was trimmed to begin at ${this.#kept.origin + 1}; start from a snapshot`,
    )
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new StoreClosedError(`the ${this.#what}`)
  }
}

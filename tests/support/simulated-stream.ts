import type { ClaimAttempt, SlotLog, SlotOptions } from '../../src/server/cluster/index.ts'
import type { SimulatedBucket, SimulatedNode } from './simulated-slots.ts'

/** A stream in memory whose records are numbered as they come, as one of JetStream is. */
export class SimulatedStream {
  readonly records = new Map<number, Uint8Array>()
  /** All that there ever were. */
  readonly written = new Map<number, Uint8Array>()
  last = 0

  /** Appends a record, unless it was to follow another one than the last. */
  append(bytes: Uint8Array, after = this.last): { readonly is: boolean } {
    if (after !== this.last) return { is: false }
    this.records.set(++this.last, bytes)
    this.written.set(this.last, bytes)
    return { is: true }
  }
}

/** A stream as one server sees it. Which records there are it may be told by a server that has not heard of the last ones. */
export class SimulatedStreamLog implements SlotLog {
  readonly address: string
  readonly isCurrent = false
  readonly #stream: SimulatedStream
  readonly #bucket: SimulatedBucket
  readonly #node: SimulatedNode

  constructor(log: string, bucket: SimulatedBucket, node: SimulatedNode) {
    this.address = `simulated://${log}`
    this.#stream = bucket.stream(log)
    this.#bucket = bucket
    this.#node = node
  }

  async put(slot: number, bytes: Uint8Array, { signal }: SlotOptions = {}): Promise<boolean> {
    const perform = (): { readonly is: boolean } => this.#stream.append(bytes, slot - 1)
    while (true) {
      if (await this.#node.askUntilAnswered(`put ${slot}`, perform, signal)) return true
      if (this.#stream.last < slot) continue
      await this.get(slot, { signal })
      // What was trimmed meanwhile a server can't tell any more, and a log says that nobody knows. Here it is known.
      return Buffer.compare(this.#stream.written.get(slot)!, bytes) === 0
    }
  }

  /** Once for each attempt of which nothing is heard. */
  async claim({ claim }: ClaimAttempt, { signal }: SlotOptions = {}): Promise<void> {
    await this.#node.askUntilAnswered('claim', () => this.#stream.append(claim), signal)
  }

  get(slot: number, { signal }: SlotOptions = {}): Promise<Uint8Array | undefined> {
    return this.#node.ask(`get ${slot}`, 'answered', () => this.#stream.records.get(slot), signal)
  }

  async slots(after: number, { signal }: SlotOptions = {}): Promise<readonly number[]> {
    const { weather } = this.#bucket
    // The answer is as old as the message that it waits behind.
    const unheard = weather.fate() === 'answered' ? 0 : 1
    const list = (): number[] =>
      [...this.#stream.records.keys()].filter((slot) => slot > after && slot <= this.#stream.last - unheard)
    return (await this.#node.ask(`slots after ${after}`, 'answered', list, signal))!
  }

  async trim(before: number, _isKept: unknown, { signal }: SlotOptions = {}): Promise<void> {
    const perform = (): { readonly is: undefined } => {
      for (const slot of this.#stream.records.keys())
        if (slot < before && slot < this.#stream.last && this.#stream.records.delete(slot)) this.#bucket.deleted++
      return { is: undefined }
    }
    await this.#node.askUntilAnswered(`trim before ${before}`, perform, signal)
  }
}

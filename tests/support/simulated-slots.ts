import type { ObjectInfo, ObjectOptions, ObjectStore } from '../../src/server/bucket/index.ts'
import type { SlotLog, SlotOptions } from '../../src/server/cluster/index.ts'

/** What becomes of one attempt to write. */
export type Fate =
  | 'answered'
  /** It takes effect, and the client hears nothing and tries again. */
  | 'unanswered'
  /** The client tries again before it arrives, which it does long after. */
  | 'late'
  | 'dropped'

/** How a network treats what is sent through it. The times are counted in steps. */
export interface Weather {
  fate(): Fate
  /** Until a request arrives, and again until its answer does. */
  delay(): number
  /** Until a request arrives whose client has given it up. */
  lateness(): number
}

/** Nothing goes wrong, and requests are done in the order in which they are let. */
export const fair: Weather = { fate: () => 'answered', delay: () => 0, lateness: () => 0 }

/** Something that is to happen: a request reaches the bucket, its answer a node, or a node has its turn. */
export interface Step {
  readonly kind: 'request' | 'answer' | 'turn'
  readonly what: string
  readonly node: SimulatedNode
  /** The step before which it does not happen. */
  notBefore: number
  readonly run: () => void
}

/** A bucket in memory in which nothing happens unless a scheduler lets it: of everything that is under way, one step at a time. */
export class SimulatedBucket {
  readonly objects = new Map<string, Uint8Array<ArrayBuffer>>()
  readonly weather: Weather
  /** All that is under way. */
  readonly steps: Step[] = []
  /** Steps that have happened, or were waited for. */
  now = 0
  /** Records that were deleted. */
  deleted = 0
  readonly #slots = new Map<string, Map<number, Uint8Array>>()

  constructor(weather: Weather) {
    this.weather = weather
  }

  /** The records of a log. */
  slots(log: string): Map<number, Uint8Array> {
    let slots = this.#slots.get(log)
    if (!slots) this.#slots.set(log, (slots = new Map<number, Uint8Array>()))
    return slots
  }

  /** The steps that may happen now. Where there are none yet, it is the time of the first that will be. */
  ready(): Step[] {
    let first = Infinity
    for (const step of this.steps) first = Math.min(first, step.node.due(step))
    if (first === Infinity) return []
    this.now = Math.max(this.now, first)
    return this.steps.filter((step) => step.node.due(step) <= this.now)
  }

  happen(step: Step): void {
    this.steps.splice(this.steps.indexOf(step), 1)
    this.now++
    step.run()
  }
}

/** A server, as far as it has to do with a bucket. */
export class SimulatedNode {
  readonly id: string
  readonly store: ObjectStore
  readonly #bucket: SimulatedBucket
  #frozenUntil = 0
  #isDead = false
  readonly #mourners: (() => void)[] = []

  constructor(id: string, bucket: SimulatedBucket) {
    this.id = id
    this.#bucket = bucket
    this.store = new SimulatedStore(bucket, this)
  }

  get isDead(): boolean {
    return this.#isDead
  }

  get isFrozen(): boolean {
    return this.#frozenUntil > this.#bucket.now
  }

  slots(log: string): SlotLog {
    return new SimulatedSlotLog(log, this.#bucket, this)
  }

  /** Nothing happens in it for so many steps; what it has sent arrives all the same. */
  freeze(steps: number): void {
    this.#frozenUntil = this.#bucket.now + steps
  }

  thaw(): void {
    this.#frozenUntil = 0
  }

  /** Nothing happens in it ever again; what it has sent may arrive. */
  die(arrives: () => boolean): void {
    this.#isDead = true
    for (const told of this.#mourners) told()
    const { steps } = this.#bucket
    const left = steps.filter((step) => step.node !== this || (step.kind === 'request' && arrives()))
    steps.splice(0, steps.length, ...left)
  }

  /** Calls someone when it dies. */
  onDeath(told: () => void): void {
    this.#mourners.push(told)
  }

  /** When a step is due, in the count of steps. */
  due({ kind, notBefore }: Step): number {
    return kind === 'request' ? notBefore : Math.max(notBefore, this.#frozenUntil)
  }

  /** Resolves once the scheduler lets it go on. */
  turn(): Promise<void> {
    return new Promise((run) => this.#add('turn', 'turn', run, 0))
  }

  /** Asks the bucket for something; `undefined` where no answer comes. Rejects with what the signal says. */
  ask<Answer>(
    what: string,
    fate: Fate,
    perform: () => Answer,
    signal: AbortSignal | undefined,
  ): Promise<Answer | undefined> {
    const { weather } = this.#bucket
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      const abort = (): void => reject(signal?.reason as Error)
      signal?.addEventListener('abort', abort, { once: true })
      const settle = (value: Answer | undefined): void => {
        if (this.#isDead) return
        signal?.removeEventListener('abort', abort)
        resolve(value)
      }
      const answer = (value: Answer | undefined, delay: number): void =>
        delay === 0 && !this.isFrozen ? settle(value) : this.#add('answer', what, () => settle(value), delay)
      const send = (then: (value: Answer) => void, delay: number): void =>
        this.#add('request', what, () => then(perform()), delay)
      if (fate === 'answered') send((value) => answer(value, weather.delay()), weather.delay())
      else if (fate === 'unanswered') send(() => answer(undefined, weather.delay()), weather.delay())
      else {
        if (fate === 'late') send(() => undefined, weather.lateness())
        answer(undefined, weather.delay())
      }
    })
  }

  #add(kind: Step['kind'], what: string, run: () => void, delay: number): void {
    if (this.#isDead) return
    this.#bucket.steps.push({ kind, what, node: this, notBefore: this.#bucket.now + delay, run })
  }
}

/** Asks until there is an answer. */
async function askUntilAnswered<Answer>(
  node: SimulatedNode,
  { weather }: SimulatedBucket,
  what: string,
  perform: () => { readonly is: Answer },
  signal: AbortSignal | undefined,
): Promise<Answer> {
  while (true) {
    const answer = await node.ask(what, weather.fate(), perform, signal)
    if (answer) return answer.is
  }
}

/** Slots of which a client finds out by the bytes whether it was itself that has written one, as that of a bucket does. */
class SimulatedSlotLog implements SlotLog {
  readonly address: string
  readonly #slots: Map<number, Uint8Array>
  readonly #bucket: SimulatedBucket
  readonly #node: SimulatedNode

  constructor(log: string, bucket: SimulatedBucket, node: SimulatedNode) {
    this.address = `simulated://${log}`
    this.#slots = bucket.slots(log)
    this.#bucket = bucket
    this.#node = node
  }

  async put(slot: number, bytes: Uint8Array, { signal }: SlotOptions = {}): Promise<boolean> {
    const perform = (): { readonly is: boolean } => {
      if (this.#slots.has(slot)) return { is: false }
      this.#slots.set(slot, bytes)
      return { is: true }
    }
    while (true) {
      if (await askUntilAnswered(this.#node, this.#bucket, `put ${slot}`, perform, signal)) return true
      const there = await this.get(slot, { signal })
      if (there) return Buffer.compare(there, bytes) === 0
    }
  }

  get(slot: number, { signal }: SlotOptions = {}): Promise<Uint8Array | undefined> {
    return this.#node.ask(`get ${slot}`, 'answered', () => this.#slots.get(slot), signal)
  }

  async slots(after: number, { signal }: SlotOptions = {}): Promise<readonly number[]> {
    const list = (): number[] => [...this.#slots.keys()].filter((slot) => slot > after).toSorted((a, b) => a - b)
    return (await this.#node.ask(`slots after ${after}`, 'answered', list, signal))!
  }

  /** One after the other, as a bucket that deletes many at once may. */
  async delete(slots: readonly number[], { signal }: SlotOptions = {}): Promise<void> {
    const half = slots.length >> 1
    for (const some of [slots.slice(half), slots.slice(0, half)].filter(({ length }) => length > 0)) {
      const perform = (): { readonly is: undefined } => {
        for (const slot of some) if (this.#slots.delete(slot)) this.#bucket.deleted++
        return { is: undefined }
      }
      await askUntilAnswered(this.#node, this.#bucket, `delete ${some[0]} to ${some.at(-1)}`, perform, signal)
    }
  }
}

class SimulatedStore implements ObjectStore {
  readonly address = 'simulated://objects/'
  readonly #bucket: SimulatedBucket
  readonly #node: SimulatedNode

  constructor(bucket: SimulatedBucket, node: SimulatedNode) {
    this.#bucket = bucket
    this.#node = node
  }

  get(key: string, { signal }: ObjectOptions = {}): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#node.ask(`get ${key}`, 'answered', () => this.#bucket.objects.get(key), signal)
  }

  put(key: string, bytes: Uint8Array, { signal }: ObjectOptions = {}): Promise<void> {
    return this.#change(`put ${key}`, () => void this.#bucket.objects.set(key, new Uint8Array(bytes)), signal)
  }

  async create(key: string, bytes: Uint8Array, { signal }: ObjectOptions = {}): Promise<boolean> {
    const { objects } = this.#bucket
    const mine = new Uint8Array(bytes)
    await this.#change(`create ${key}`, () => void (objects.has(key) || objects.set(key, mine)), signal)
    return objects.get(key) === mine
  }

  async *list(prefix: string, options: ObjectOptions & { readonly after?: string } = {}): AsyncGenerator<ObjectInfo> {
    const { after = '', signal } = options
    const list = (): ObjectInfo[] =>
      [...this.#bucket.objects]
        .filter(([key]) => key.startsWith(prefix) && key > after)
        .map(([key, { length }]) => ({ key, size: length }))
        .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    yield* (await this.#node.ask(`list ${prefix}`, 'answered', list, signal))!
  }

  delete(keys: readonly string[], { signal }: ObjectOptions = {}): Promise<void> {
    const { objects } = this.#bucket
    return this.#change(`delete ${keys.length}`, () => keys.forEach((key) => objects.delete(key)), signal)
  }

  #change(what: string, change: () => void, signal: AbortSignal | undefined): Promise<void> {
    const perform = (): { readonly is: undefined } => (change(), { is: undefined })
    return askUntilAnswered(this.#node, this.#bucket, what, perform, signal)
  }
}

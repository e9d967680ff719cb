import type { ObjectInfo, ObjectOptions, ObjectStore } from '../../src/server/bucket/index.ts'
import { BucketSlotLog, type SlotLog } from '../../src/server/cluster/index.ts'
import { SimulatedStream, SimulatedStreamLog } from './simulated-stream.ts'

const SLOTS = 'slots/'

function prefixOf(log: string): string {
  return `${SLOTS}${log}/`
}

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
  readonly #streams = new Map<string, SimulatedStream>()

  constructor(weather: Weather) {
    this.weather = weather
  }

  /** The slots of a log in the bucket that have a record. */
  slots(log: string): ReadonlySet<number> {
    const prefix = prefixOf(log)
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix))
    return new Set(keys.map((key) => Number(key.slice(prefix.length))))
  }

  /** The stream of a log that lies on one. */
  stream(log: string): SimulatedStream {
    let stream = this.#streams.get(log)
    if (!stream) this.#streams.set(log, (stream = new SimulatedStream()))
    return stream
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
    return new BucketSlotLog(this.store, prefixOf(log))
  }

  stream(log: string): SlotLog {
    return new SimulatedStreamLog(log, this.#bucket, this)
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

  /** Asks until there is an answer. */
  async askUntilAnswered<Answer>(
    what: string,
    perform: () => { readonly is: Answer },
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    while (true) {
      const answer = await this.ask(what, this.#bucket.weather.fate(), perform, signal)
      if (answer) return answer.is
    }
  }

  #add(kind: Step['kind'], what: string, run: () => void, delay: number): void {
    if (this.#isDead) return
    this.#bucket.steps.push({ kind, what, node: this, notBefore: this.#bucket.now + delay, run })
  }
}

/** One whose client finds out by the bytes whether it was itself that has made an object, as that of a bucket does. */
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
    const perform = (): { readonly is: boolean } => {
      if (objects.has(key)) return { is: false }
      objects.set(key, mine)
      return { is: true }
    }
    while (true) {
      if (await this.#node.askUntilAnswered(`create ${key}`, perform, signal)) return true
      const there = await this.get(key, { signal })
      if (there) return Buffer.compare(there, mine) === 0
    }
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

  /** One after the other, as a bucket that deletes many at once may. */
  async delete(keys: readonly string[], { signal }: ObjectOptions = {}): Promise<void> {
    const half = keys.length >> 1
    for (const some of [keys.slice(half), keys.slice(0, half)].filter(({ length }) => length > 0)) {
      const remove = (): void => {
        for (const key of some) if (this.#bucket.objects.delete(key) && key.startsWith(SLOTS)) this.#bucket.deleted++
      }
      await this.#change(`delete ${some[0]} to ${some.at(-1)}`, remove, signal)
    }
  }

  #change(what: string, change: () => void, signal: AbortSignal | undefined): Promise<void> {
    const perform = (): { readonly is: undefined } => (change(), { is: undefined })
    return this.#node.askUntilAnswered(what, perform, signal)
  }
}

import { StoreClosedError, type Persistence, type PersistenceSession } from 'rowcast'
import { PersistenceError, type PersistedContents } from 'rowcast/persist'
import type { Random } from './random.ts'

interface Write {
  readonly kind: 'append' | 'replace' | 'close'
  readonly records: readonly Uint8Array[]
  readonly snapshot?: Uint8Array
  readonly done: () => void
}

/** So much space before a record that the journal takes it for long enough to be folded into a snapshot. */
const PADDING = 1_000_000

/**
 * A disk of which nothing is written until a test calls `step`, and which can lose its power at any moment. Then it has
 * what `Persistence` promises, and no more: every write that had resolved; of an append under way the first few records,
 * all or none; of a snapshot under way all or nothing.
 */
export class CrashingPersistence implements Persistence {
  readonly #random: Random
  #contents: PersistedContents = { snapshot: undefined, records: [] }
  #session: Session | undefined

  constructor(random: Random) {
    this.#random = random
  }

  /** Writes that were asked for and have not taken effect. */
  get pending(): number {
    return this.#session?.writes.length ?? 0
  }

  open(): Promise<PersistenceSession> {
    if (this.#session) return Promise.reject(new PersistenceError('persistence-in-use', 'the test has it open already'))
    this.#session = new Session(() => this.#load())
    return Promise.resolve(this.#session)
  }

  /** The oldest write takes effect, and its promise resolves. False where there is none. */
  step(): boolean {
    const write = this.#session?.writes.shift()
    if (!write) return false
    this.#take(write, write.records.length)
    if (write.kind === 'close') this.#session = undefined
    write.done()
    return true
  }

  /** Whoever has it open is gone: none of its calls settles any more, and another may open it. */
  crash(): void {
    const [write] = this.#session?.writes ?? []
    this.#session?.die()
    this.#session = undefined
    if (write?.kind === 'append') this.#take(write, this.#random.int(write.records.length + 1))
    else if (write && this.#random.chance(50)) this.#take(write, write.records.length)
  }

  #take({ kind, snapshot, records }: Write, count: number): void {
    const kept = kind === 'replace' ? [] : this.#contents.records
    this.#contents = {
      snapshot: snapshot ?? this.#contents.snapshot,
      records: [...kept, ...records.slice(0, count)],
    }
  }

  #load(): PersistedContents {
    const { snapshot, records } = this.#contents
    const [first, ...others] = records
    if (!first || !this.#random.chance(50)) return { snapshot, records: [...records] }
    const padded = new Uint8Array(PADDING + first.length).fill(0x20)
    padded.set(first, PADDING)
    return { snapshot, records: [padded, ...others] }
  }
}

class Session implements PersistenceSession {
  readonly writes: Write[] = []
  readonly #load: () => PersistedContents
  #state: 'open' | 'closed' | 'dead' = 'open'

  constructor(load: () => PersistedContents) {
    this.#load = load
  }

  /** Nothing that was asked for or is asked from now on happens. */
  die(): void {
    this.#state = 'dead'
    this.writes.length = 0
  }

  load(): Promise<PersistedContents> {
    if (this.#state !== 'open') return this.#gone()
    return Promise.resolve(this.#load())
  }

  append(records: readonly Uint8Array[]): Promise<void> {
    return this.#write({ kind: 'append', records })
  }

  replace(snapshot: Uint8Array, records: readonly Uint8Array[] = []): Promise<void> {
    return this.#write({ kind: 'replace', snapshot, records })
  }

  estimate(): Promise<undefined> {
    return this.#state === 'open' ? Promise.resolve(undefined) : this.#gone()
  }

  close(): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve()
    const closing = this.#write({ kind: 'close', records: [] })
    if (this.#state === 'open') this.#state = 'closed'
    return closing
  }

  #write(write: Omit<Write, 'done'>): Promise<void> {
    if (this.#state !== 'open') return this.#gone()
    return new Promise((done) => this.writes.push({ ...write, done }))
  }

  /** The dead don't even fail. */
  #gone(): Promise<never> {
    return this.#state === 'dead' ? new Promise(() => undefined) : Promise.reject(new StoreClosedError())
  }
}

import { createStore, type RejectedTransaction } from 'rowcast'
import type { ServerCore } from 'rowcast/server'
import { memoryTransport, type Faults, type Timers } from 'rowcast/transport'
import { expect } from 'vitest'
import { CrashingPersistence } from './crashing-persistence.ts'
import { Ledger } from './ledger.ts'
import { Mortal } from './mortal-client.ts'
import type { Marks } from './marks.ts'
import type { Random } from './random.ts'
import { rest, rowsOf, type Rows } from './stepped-world.ts'
import type { sceneSchema } from './sync-world.ts'

type SceneStore = Awaited<ReturnType<Seat['createStore']>>

/** A place at which one user works, with one store after the other where they crash. */
export class Seat {
  readonly user: string
  readonly ledger = new Ledger()
  /** The labels of what was confirmed to those who asked. */
  readonly asked: string[] = []
  readonly persistence: CrashingPersistence | undefined
  /** What is written to fields that may be withheld, where there are such. */
  readonly marks: Marks | undefined
  draft: ReturnType<SceneStore['draft']> | undefined
  rejected: readonly RejectedTransaction[] = []
  crashes = 0
  readonly #random: Random
  readonly #schema: typeof sceneSchema
  readonly #connect: { readonly accept: ServerCore['accept']; readonly faults: Faults; readonly timers: Timers }
  #store: SceneStore | undefined
  #mortal: Mortal | undefined
  #left: (ReturnType<Ledger['end']> & { readonly rows: Rows | undefined }) | undefined

  constructor(
    user: string,
    random: Random,
    connect: { readonly accept: ServerCore['accept']; readonly faults: Faults; readonly timers: Timers },
    options: { readonly schema: typeof sceneSchema; readonly kept: boolean; readonly marks: Marks | undefined },
  ) {
    this.user = user
    this.#random = random
    this.#connect = connect
    this.#schema = options.schema
    this.marks = options.marks
    this.persistence = options.kept ? new CrashingPersistence(random) : undefined
  }

  get isOpen(): boolean {
    return this.#store !== undefined
  }

  get store(): SceneStore {
    if (!this.#store) throw new Error(`nobody sits at ${this.user}'s seat`)
    return this.#store
  }

  /** Opens a store on what the one before has left. */
  async open(): Promise<void> {
    const { accept, faults, timers } = this.#connect
    this.#mortal = new Mortal(faults, timers)
    const store = await this.createStore(accept, this.#mortal)
    this.#store = store
    this.ledger.watch(store)
    store.sync.rejected$.subscribe((list) => (this.rejected = list))
    if (!this.#left) return
    this.ledger.expectKept(this.#left)
    if (!this.#left.rows) return
    this.ledger.expectAll(this.#left)
    expect(rowsOf(store), 'all was saved').toStrictEqual(this.#left.rows)
  }

  /** For the type of it. */
  createStore(accept: ServerCore['accept'], { faults, timers }: Pick<Mortal, 'faults' | 'timers'>) {
    const { persistence, user } = this
    return createStore({
      schema: this.#schema,
      sync: { transport: memoryTransport(accept, { faults, timers, token: user }), database: 'scene' },
      ...(persistence && { persistence }),
    })
  }

  /** Asks the store to save, and takes note of what it says is saved. */
  save(report: (error: unknown) => void): void {
    this.ledger.save(this.store).catch(report)
  }

  /** The store is gone, without a word, at whatever it was. */
  async crash(): Promise<void> {
    const { store, persistence } = this
    if (!persistence) throw new Error('what is not kept is not to crash')
    let allSaved = false
    // Never settles where a write is under way.
    store.saved().then(
      () => (allSaved = true),
      () => undefined,
    )
    await rest()
    const left = this.ledger.end()
    this.#left = { ...left, rows: allSaved && !this.draft ? rowsOf(store) : undefined }
    this.#mortal?.die((below) => this.#random.int(below))
    persistence.crash()
    this.crashes++
    this.#store = undefined
    this.draft = undefined
    this.rejected = []
  }

  /** Closes the store; what is left to write is written. */
  async close(): Promise<void> {
    const { store, persistence } = this
    const progress = { closed: false }
    const closed = store.close().finally(() => (progress.closed = true))
    while (!progress.closed) {
      persistence?.step()
      await rest()
    }
    await closed
  }
}

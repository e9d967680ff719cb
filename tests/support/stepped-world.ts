import { createStore } from 'rowcast'
import {
  memoryLogStorage,
  memorySnapshotStorage,
  ServerCore,
  type LogRecord,
  type LogStorage,
  type ServerOptions,
} from 'rowcast/server'
import { createFaults, memoryTransport, type FaultOdds, type Faults, type TokenSource } from 'rowcast/transport'
import { firstValueFrom, type Observable } from 'rxjs'
import { vi } from 'vitest'
import { parseValue } from '../../src/changes/index.ts'
import { ManualTimers } from './manual-timers.ts'
import { Random } from './random.ts'
import { sceneSchema } from './sync-world.ts'

/** How much of a server's time passes with a step of a client's: presence waits so long to be told. */
const SERVER_MS = 50

type Subscribe = NonNullable<NonNullable<Parameters<typeof createScene>[0]>['subscribe']>
export type Scene = Awaited<ReturnType<typeof createScene>>

function createScene(sync: {
  readonly transport: ReturnType<typeof memoryTransport>
  readonly subscribe?: readonly { readonly table: 'layer' | 'note'; readonly where?: object }[] | undefined
}) {
  const { transport, subscribe } = sync
  return createStore({
    schema: sceneSchema,
    sync: { transport, database: 'scene', ...(subscribe && { subscribe: subscribe as never }) },
  })
}

/** Lets everything that waits for nothing but its turn run. */
export async function rest(): Promise<void> {
  for (let n = 0; n < 8; n++) await new Promise((resolve) => setImmediate(resolve))
}

/**
 * Runs something random of which the seed determines everything: a server's timers run only when a world passes time, and
 * not when the machine happens to get so far. Those that are left at the end never do.
 */
export async function withoutClock<Result>(run: () => Promise<Result>): Promise<Result> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    return await run()
  } finally {
    vi.useRealTimers()
  }
}

/** What a stream says now. */
export function now<Value>(stream$: Observable<Value>): Promise<Value> {
  return firstValueFrom(stream$)
}

/** A client with a network of its own, of which nothing moves unless it is told to. */
export interface Seat {
  readonly store: Scene
  readonly faults: Faults
  readonly timers: ManualTimers
  /** Asks for a part more. A world at rest has answered it. */
  subscribe(sets: Subscribe): ReturnType<Scene['sync']['subscribe']>
  /** The subscriptions that were not answered so far. */
  readonly unanswered: ReadonlySet<object>
}

/** One server and any number of clients, each on a network that a test moves step by step. */
export class SteppedWorld {
  readonly random: Random
  readonly storage: { readonly logs: LogStorage; readonly snapshots: ReturnType<typeof memorySnapshotStorage> }
  readonly errors: unknown[] = []
  readonly seats: Seat[] = []
  readonly #options: Partial<ServerOptions>
  core: ServerCore

  private constructor(options: Partial<ServerOptions> & { readonly seed?: number; readonly logs?: LogStorage }) {
    const { seed = 1, logs = memoryLogStorage(), ...server } = options
    this.random = new Random(seed)
    this.storage = { logs, snapshots: memorySnapshotStorage() }
    this.#options = server
    this.core = this.#serve()
  }

  static async start(
    options: Partial<ServerOptions> & { readonly seed?: number; readonly logs?: LogStorage } = {},
  ): Promise<SteppedWorld> {
    const world = new SteppedWorld(options)
    await world.core.databases.create('scene')
    return world
  }

  /** Another client; `odds` are what its network does where no fault is named. */
  async open(options: { subscribe?: Subscribe; odds?: FaultOdds; token?: TokenSource } = {}): Promise<Seat> {
    const { subscribe, odds, token } = options
    const faults = createFaults((below) => this.random.int(below), odds)
    const timers = new ManualTimers(() => this.random.int(1000) / 1000)
    // The server of the moment: it may have been started anew.
    const accept: ServerCore['accept'] = (connection, request) => this.core.accept(connection, request)
    const store = await createScene({ transport: memoryTransport(accept, { faults, timers, token }), subscribe })
    const seat = { store, faults, timers, ...follow(store) }
    this.seats.push(seat)
    return seat
  }

  /** The server dies, without a word to anyone, and another one begins with what was stored. */
  async restart(): Promise<void> {
    for (const { faults } of this.seats) faults.cutAll('the server went down')
    await this.core.close()
    this.core = this.#serve()
  }

  /** Time passes until the next thing is due that a client waits for; for the server a moment, where there is no clock. */
  passTime({ timers }: Seat): void {
    timers.next()
    if (vi.isFakeTimers()) vi.advanceTimersByTime(SERVER_MS)
  }

  /** Everything under way arrives, and all that is sent because of it. */
  async deliver(seats: readonly Seat[] = this.seats): Promise<void> {
    for (;;) {
      await rest()
      const moving = seats.filter(({ faults }) => faults.pending > 0)
      if (moving.length === 0) return
      this.random.pick(moving).faults.step('deliver')
    }
  }

  /** A network that works, until these clients are in step, nothing is pending and every subscription is answered. */
  async settle(seats: readonly Seat[] = this.seats): Promise<void> {
    let waiting: readonly Seat[] = seats
    for (let n = 0; n < 200; n++) {
      await this.deliver(seats)
      const states = await Promise.all(seats.map(({ store }) => now(store.sync.status$)))
      waiting = seats.filter(
        ({ unanswered }, at) => states[at]!.state !== 'live' || states[at]!.pending > 0 || unanswered.size > 0,
      )
      if (waiting.length === 0) return
      for (const seat of waiting) this.passTime(seat)
    }
    throw new Error(
      `not at rest: ${JSON.stringify(await Promise.all(waiting.map(({ store }) => now(store.sync.status$))))}`,
    )
  }

  /**
   * As `settle`, after a network that has lost messages: one that was lost as the last of a connection is noticed only
   * when the client next asks for a word.
   */
  async settleAfterLosses(): Promise<void> {
    await this.settle()
    for (const { faults, timers } of this.seats) {
      const { pending } = faults
      while (faults.pending === pending && timers.pending > 0) timers.next()
    }
    await this.settle()
  }

  /** The rows of the server. */
  async truth(): Promise<Rows> {
    const { database, release } = await this.core.databases.use('scene')
    try {
      return rowsOf(database.store as unknown as Scene)
    } finally {
      release()
    }
  }

  /** What the log has. */
  async log(): Promise<LogRecord[]> {
    const log = await this.storage.logs.open('scene')
    const records: LogRecord[] = []
    try {
      for await (const { payload } of log.read(1)) records.push(parseValue(payload) as unknown as LogRecord)
    } finally {
      await log.close()
    }
    return records
  }

  async close(): Promise<void> {
    for (const { store } of this.seats) await store.close()
    await this.core.close()
  }

  #serve(): ServerCore {
    return new ServerCore({
      schema: sceneSchema,
      storage: this.storage,
      secret: 'test',
      idleMs: 1e9,
      onError: (error) => this.errors.push(error),
      ...this.#options,
    })
  }
}

function follow({ sync }: Scene): Pick<Seat, 'subscribe' | 'unanswered'> {
  const unanswered = new Set<object>()
  return {
    unanswered,
    subscribe: (sets) => {
      const subscription = sync.subscribe(sets as never)
      const answered = (): void => void unanswered.delete(subscription)
      unanswered.add(subscription)
      subscription.ready.then(answered, answered)
      return {
        ...subscription,
        unsubscribe: () => {
          answered()
          subscription.unsubscribe()
        },
      }
    },
  }
}

export interface Rows {
  readonly note: readonly object[]
  readonly layer: readonly object[]
}

/** Every row that a store shows. */
export function rowsOf(store: Pick<Scene, 'table'>): Rows {
  return { note: store.table('note').all(), layer: store.table('layer').all() }
}

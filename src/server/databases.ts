import { randomUUID } from 'node:crypto'
import { NotFoundError, RowcastError, SqlError, StoreClosedError } from '../errors/index.ts'
import type { MeasuredSources, WorkOptions } from './beside/index.ts'
import { LiveDatabase, type FirstState, type LiveDatabaseOptions } from './live-database.ts'
import { existsError } from './exists-error.ts'
import type { Log, LogStorage } from './log.ts'
import { unmadeEnd } from './unmade.ts'

export interface DatabasesOptions extends Omit<LiveDatabaseOptions, 'log'> {
  readonly logs: LogStorage
  /** A database that nobody uses is closed after so long. */
  readonly idleMs: number
}

/** A database that nobody closes while someone uses it. */
export interface Lease {
  readonly database: LiveDatabase
  /** Ends this use of it. Safe to call twice. */
  release(): void
}

interface Open {
  readonly database: Promise<LiveDatabase>
  uses: number
  idle: NodeJS.Timeout | undefined
}

/** A database that there isn't, or that may not be seen: the same to who asks. */
export class UnknownDatabaseError extends RowcastError<'unknown-database'> {
  override readonly name: string = 'UnknownDatabaseError'
  constructor(name: string) {
    super(
      'unknown-database',
      `there is no database '${name}': make it with PUT /v1/databases/${encodeURIComponent(name)}, or let the server make each when it is first used (rowcast serve --create)`,
    )
  }
}

/** The databases of a server: opened when somebody asks for them, closed when nobody does any more. */
export class Databases {
  readonly #options: DatabasesOptions
  readonly #open = new Map<string, Open>()
  /** What makes, opens and deletes one database happens one after the other. */
  readonly #busy = new Map<string, Promise<unknown>>()
  readonly #watchers: ((database: LiveDatabase) => void)[] = []
  #closed = false

  constructor(options: DatabasesOptions) {
    this.#options = options
    options.logs.placement?.watch((isLost, url) => this.#giveUp(isLost, url))
  }

  /** The names that are taken; one whose making was begun and never ended, and can be begun anew, is among them. */
  list(): Promise<readonly string[]> {
    return this.#options.logs.list()
  }

  /** From now on told of each database that is opened, before anyone uses it. */
  watch(watcher: (database: LiveDatabase) => void): void {
    this.#watchers.push(watcher)
  }

  /** The databases that are open now. */
  get opened(): number {
    return this.#open.size
  }

  /** Opens a database. Throws UnknownDatabaseError. */
  async use(name: string): Promise<Lease> {
    await this.#busy.get(name)
    this.#assertOpen()
    let open = this.#open.get(name)
    if (!open) {
      const givenUp = (): void => this.#dropGivenUp(name, one)
      const one: Open = { database: this.#load(name, givenUp), uses: 0, idle: undefined }
      open = one
      this.#open.set(name, one)
      one.database.catch(() => this.#open.get(name) === one && this.#open.delete(name))
    }
    open.uses++
    clearTimeout(open.idle)
    try {
      return this.#lease(name, open, await open.database)
    } catch (error) {
      open.uses--
      throw error
    }
  }

  /**
   * Makes a database: empty, from a first state, or from a file, whose bytes are given away. Throws RowcastError
   * (`exists`) where there is one of that name, and what `store.import` throws. One that was half made, by a server that
   * was killed, is made anew. Returns the number of its first entry.
   */
  create(
    name: string,
    from?: FirstState | (Omit<FirstState, 'bytes' | 'incarnation'> & { readonly file: Uint8Array }),
    options: Pick<WorkOptions, 'signal' | 'progress'> = {},
  ): Promise<number> {
    return this.#alone(name, async () => {
      // What someone is being told to be missing is not to be found half made. That it is missing is told to who opens it.
      await this.#open.get(name)?.database.catch(() => undefined)
      // Before what takes its time.
      await this.#assertUnmade(name)
      const first = from && 'file' in from ? { ...from, ...(await this.#firstState(name, from.file, options)) } : from
      const log = await this.#options.logs.open(name, { create: true })
      try {
        return await LiveDatabase.create(name, { ...this.#options, log }, first)
      } finally {
        // What failed is left as it is: another server may have gone on from there.
        await log.close()
      }
    })
  }

  async #assertUnmade(name: string): Promise<void> {
    const log = await this.#find(name)
    if (!log) return
    try {
      if (!(await unmadeEnd(name, { ...this.#options, log }))) throw existsError(name)
    } finally {
      await log.close()
    }
  }

  /** The log of a database; `undefined` where there is none. */
  async #find(name: string): Promise<Log | undefined> {
    try {
      return await this.#options.logs.open(name)
    } catch (error) {
      if (error instanceof NotFoundError || (error instanceof RowcastError && error.code === 'database-name'))
        return undefined
      throw error
    }
  }

  async #hasLog(name: string): Promise<boolean> {
    try {
      const log = await this.#find(name)
      await log?.close()
      return log !== undefined
    } catch (error) {
      // A file that is damaged can be deleted.
      if (error instanceof SqlError) return true
      throw error
    }
  }

  async #firstState(
    name: string,
    file: Uint8Array,
    options: Pick<WorkOptions, 'signal' | 'progress'>,
  ): Promise<Pick<FirstState, 'bytes' | 'incarnation'>> {
    const { beside } = this.#options
    const scratch = beside.files.path()
    const incarnation = randomUUID()
    try {
      const work = { kind: 'create', database: name, scratch, file, incarnation } as const
      const { bytes } = await beside.run(work, { log: noLog, snapshots: this.#options.snapshots }, options)
      return { bytes, incarnation }
    } finally {
      await beside.files.remove(scratch)
    }
  }

  /** Deletes a database for good, with its history and snapshots. Throws UnknownDatabaseError. */
  delete(name: string): Promise<void> {
    return this.#alone(name, async () => {
      if (!(await this.#hasLog(name))) throw new UnknownDatabaseError(name)
      const open = this.#open.get(name)
      if (open) {
        this.#open.delete(name)
        clearTimeout(open.idle)
        // One that can't be opened can be deleted.
        const database = await open.database.catch(() => undefined)
        database?.dismiss('unknown-database', `database '${name}' was deleted`)
        await database?.close()
      }
      // The log goes last: until it has gone the database is there.
      await this.#options.snapshots.delete(name)
      await this.#options.logs.delete(name)
    })
  }

  /** Closes every database; nothing can be opened any more. */
  async close(): Promise<void> {
    this.#closed = true
    const closed = await Promise.allSettled(
      [...this.#open.values()].map(async (open) => {
        clearTimeout(open.idle)
        // Whoever asked for one that could not be opened was told.
        const database = await open.database.catch(() => undefined)
        database?.dismiss('shutting-down', 'the server is going down')
        await database?.close()
      }),
    )
    this.#open.clear()
    while (this.#busy.size > 0) await Promise.all(this.#busy.values())
    await this.#options.logs.close?.()
    for (const one of closed) if (one.status === 'rejected') this.#options.report(one.reason)
  }

  async #load(name: string, givenUp: () => void): Promise<LiveDatabase> {
    const log = await this.#find(name)
    if (!log) throw new UnknownDatabaseError(name)
    try {
      if (await unmadeEnd(name, { ...this.#options, log })) throw new UnknownDatabaseError(name)
      const database = await LiveDatabase.open(name, { ...this.#options, log, givenUp })
      for (const watcher of this.#watchers) watcher(database)
      return database
    } catch (error) {
      await log.close()
      throw error
    }
  }

  #lease(name: string, open: Open, database: LiveDatabase): Lease {
    let released = false
    return {
      database,
      release: () => {
        if (released) return
        released = true
        open.uses--
        if (open.uses > 0 || this.#closed || this.#open.get(name) !== open) return
        open.idle = setTimeout(() => this.#closeIdle(name, open), this.#options.idleMs).unref()
      },
    }
  }

  /** What another server has by now. */
  #giveUp(isLost: (database: string) => boolean, url: string | undefined): void {
    for (const [name, { database }] of Array.from(this.#open))
      if (isLost(name))
        database
          .then(
            (one) => one.giveUp(url),
            // Who asked for one that failed to open was told.
            () => undefined,
          )
          .catch(this.#options.report)
  }

  /** Its state is not that of the log, or another server's: whoever asks for it next has it opened anew. */
  #dropGivenUp(name: string, open: Open): void {
    if (this.#open.get(name) !== open) return
    this.#open.delete(name)
    clearTimeout(open.idle)
    this.#exclusively(name, async () => (await open.database).close()).catch(this.#options.report)
  }

  #closeIdle(name: string, open: Open): void {
    if (open.uses > 0 || this.#open.get(name) !== open) return
    this.#alone(name, async () => {
      if (open.uses > 0 || this.#open.get(name) !== open) return
      this.#open.delete(name)
      await (await open.database).close()
    }).catch(this.#options.report)
  }

  /** `#exclusively`, unless the server is closed by then. */
  #alone<Result>(name: string, task: () => Promise<Result>): Promise<Result> {
    return this.#exclusively(name, async () => {
      this.#assertOpen()
      return task()
    })
  }

  /** Does something with a database beside which nothing else is done with it. */
  async #exclusively<Result>(name: string, task: () => Promise<Result>): Promise<Result> {
    while (this.#busy.has(name)) await this.#busy.get(name)
    const running = task()
    const ended = running.then(
      () => undefined,
      () => undefined,
    )
    this.#busy.set(name, ended)
    try {
      return await running
    } finally {
      this.#busy.delete(name)
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreClosedError('the server')
  }
}

/** A database that is still to be made has none. */
const noLog: MeasuredSources['log'] = {
  bytes: () => Promise.resolve(0),
  bounds: () => Promise.resolve({ first: 1, last: 0 }),
  // oxlint-disable-next-line require-yield -- there is nothing in it
  read: async function* () {
    return
  },
}

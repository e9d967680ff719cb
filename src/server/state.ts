import { rm } from 'node:fs/promises'
import { setImmediate as immediate } from 'node:timers/promises'
import type { SqliteDriverFactory } from '../drivers/index.ts'
import { nodeSqliteDriver } from '../drivers/node.ts'
import { NotFoundError, RowcastError, SqlError } from '../errors/index.ts'
import { defineSchema, readMetadata, type Schema, type SchemaInput } from '../schema/index.ts'
import { commitChanges, createStore, internals, type RowTransition, type Store } from '../store/index.ts'
import { AppliedTransactions } from './applied-transactions.ts'
import type { Sources } from './beside/work-host.ts'
import { gatherParts, parseRecord, type LogRecord } from './log-record.ts'
import type { Log } from './log.ts'

export interface LoadOptions {
  /** The sequence number; the newest if not given. */
  readonly at?: number
  /** Where the state is put; in memory if not given. */
  readonly driver?: SqliteDriverFactory
}

/** Others have a turn after so long. */
const SLICE_MS = 10

/** A database as of a sequence number: a snapshot, and what the log says since. */
export class State {
  readonly store: Store
  readonly applied: AppliedTransactions
  /** The last entry of the log that it has. */
  sequence: number

  /** The path of its file, where it isn't in memory. */
  readonly file: string | undefined

  private constructor(store: Store, sequence: number, file?: string) {
    this.store = store
    this.sequence = sequence
    this.file = file
    this.applied = new AppliedTransactions(internals(store).engine.driver)
  }

  /** An empty database of a schema. */
  static async create(schema: Schema, driver: SqliteDriverFactory = nodeSqliteDriver()): Promise<State> {
    return new State(await open(schema, undefined, driver), 0)
  }

  /** Opens a file as a state. Throws what opening a file throws; an older one is migrated. */
  static async from(
    schema: Schema,
    bytes: Uint8Array,
    sequence: number,
    driver: SqliteDriverFactory = nodeSqliteDriver(),
  ): Promise<State> {
    return new State(await open(schema, bytes, driver), sequence)
  }

  /**
   * Opens a file of this machine as a state, without reading it whole. From now on it is the state's own, and goes with
   * it.
   */
  static async at(path: string, schema: Schema, sequence: number): Promise<State> {
    const store = await open(schema, undefined, nodeSqliteDriver({ file: path, durable: false }))
    return new State(store, sequence, path)
  }

  /**
   * The newest state, or that of a sequence number: by the last snapshot before it and the log. Where the snapshot has
   * another version of the schema than the code, the log since is replayed by that one first; the result is migrated.
   * Throws NotFoundError where no snapshot and log lead there, VersionError where the database is newer than the code.
   */
  static async load(
    database: string,
    schema: Schema,
    { log, snapshots }: Sources,
    { at = Number.POSITIVE_INFINITY, driver = nodeSqliteDriver() }: LoadOptions = {},
  ): Promise<{ readonly state: State; readonly migrated: boolean }> {
    const last = (await snapshots.list(database)).findLast(({ sequence }) => sequence <= at)
    const bytes = last && (await snapshots.get(database, last.sequence))
    if (!last || !bytes)
      throw new NotFoundError(`database '${database}' has no snapshot${at < Infinity ? ` up to ${at}` : ''}`)
    const stored = await readDefinition(bytes)
    const old = stored.version < schema.version ? defineSchema(stored) : schema
    const state = await State.from(old, bytes, last.sequence, old === schema ? driver : nodeSqliteDriver())
    try {
      await state.follow(log, at)
      if (old === schema) return { state, migrated: false }
      const file = state.store.export()
      return { state: await State.from(schema, file, state.sequence, driver), migrated: true }
    } catch (error) {
      await state.close()
      throw error
    } finally {
      if (old !== schema) await state.close()
    }
  }

  /**
   * Applies what the log has beyond this state. Where `seen` says so of a record that stands for many, it stops before
   * that.
   */
  async follow(
    log: Pick<Log, 'read'>,
    upTo: number = Number.POSITIVE_INFINITY,
    seen?: {
      readonly stopsBefore: (record: LogRecord) => boolean
      readonly applied: (record: LogRecord, sequence: number, transitions: readonly RowTransition[]) => void
    },
  ): Promise<void> {
    if (this.sequence >= upTo) return
    let restedAt = performance.now()
    for await (const { sequence, payload } of log.read(this.sequence + 1, upTo - this.sequence)) {
      if (sequence !== this.sequence + 1)
        throw new RowcastError('log', `the log goes on with ${sequence} after ${this.sequence}: restore it from a copy`)
      const read = parseRecord(payload, sequence)
      if (seen?.stopsBefore(read) === true) return
      const record = read.parts === undefined ? read : await gatherParts(log, read, sequence)
      if (performance.now() - restedAt > SLICE_MS) {
        await immediate()
        restedAt = performance.now()
      }
      if (record.kind === 'part') {
        this.sequence = sequence
        continue
      }
      const { transitions } = commitChanges(internals(this.store).engine, record.changes, () => undefined)
      this.sequence = sequence
      if (record.id !== undefined) this.applied.add(record.id, sequence)
      seen?.applied(record, sequence, transitions)
    }
  }

  /** Its bytes, about. */
  get size(): number {
    const { driver } = internals(this.store).engine
    const [[pages], [pageBytes]] = ['page_count', 'page_size'].map((name) => {
      const statement = driver.prepare(`PRAGMA ${name}`)
      try {
        return statement.get()!
      } finally {
        statement.finalize()
      }
    }) as [[number], [number]]
    return pages * pageBytes
  }

  /** The state as a file, with what the server keeps in it. */
  snapshot(): Uint8Array {
    return this.store.export()
  }

  async close(): Promise<void> {
    if (this.store.closed) return
    this.applied.finalize()
    await this.store.close()
    if (this.file !== undefined) await rm(this.file, { force: true })
  }
}

function open(schema: Schema, data: Uint8Array | undefined, driver: SqliteDriverFactory): Promise<Store> {
  return createStore({ schema, data, driver, history: { limit: 0 } })
}

async function readDefinition(bytes: Uint8Array): Promise<SchemaInput> {
  const driver = await nodeSqliteDriver().open(bytes)
  try {
    const metadata = readMetadata(driver)
    if (!metadata)
      throw new SqlError('not a rowcast database: it has no rowcast_meta table: give a file that rowcast made')
    return metadata.definition
  } finally {
    driver.close()
  }
}

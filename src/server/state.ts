import { rm } from 'node:fs/promises'
import { setImmediate as immediate } from 'node:timers/promises'
import type { RowChange } from '../changes/index.ts'
import type { SqliteDriverFactory } from '../drivers/index.ts'
import { nodeSqliteDriver } from '../drivers/node.ts'
import { RowcastError, SqlError } from '../errors/index.ts'
import { defineSchema, readMetadata, type Schema, type SchemaInput } from '../schema/index.ts'
import { commitChanges, createStore, internals, type RowTransition, type Store } from '../store/index.ts'
import { ANYONE, AppliedTransactions, scopeOf } from './applied-transactions.ts'
import type { Sources } from './beside/work-host.ts'
import { digestOf } from './digest.ts'
import { findSnapshot, type PassedOver } from './find-snapshot.ts'
import { digestAt, isApart, type Point } from './history.ts'
import { LogPartedError } from './log-errors.ts'
import { linearWherePossible } from './patterns/index.ts'
import { parseRecord, partsOf, type LogRecord } from './log-record.ts'
import { RefusedTransactions } from './refused-transactions.ts'
import type { SnapshotInfo } from './snapshot-storage.ts'

/** What is kept of the rows of one database that were read, in bytes. */
const ROW_BYTES = 32 * 1024 * 1024

export interface LoadOptions {
  /** The sequence number; the newest if not given. */
  readonly at?: number
  /** Where the state is put; in memory if not given. */
  readonly driver?: SqliteDriverFactory
}

export interface FollowOptions {
  /** The last entry; that of the log if not given. */
  readonly upTo?: number
  /** Where it says so of an entry that stands for many, the state stops before that. */
  readonly stopsBefore?: (record: LogRecord) => boolean
  /** Told of every entry; of a part, which does nothing by itself, without its changes. */
  readonly applied?: (record: LogRecord, point: Point, transitions: readonly RowTransition[]) => void
}

/** Others have a turn after so long. */
const SLICE_MS = 10

/** What a state is loaded from. */
export interface Loaded extends PassedOver {
  readonly state: State
  readonly migrated: boolean
  readonly snapshot: SnapshotInfo
}

/** A database as of a sequence number: a snapshot, and what the log says since. */
export class State {
  readonly store: Store
  readonly applied: AppliedTransactions
  readonly refused: RefusedTransactions
  /** How far it is in the log, and in which history. */
  point: Point

  /** The path of its file, where it isn't in memory. */
  readonly file: string | undefined

  private constructor(store: Store, point: Point, file?: string) {
    const { driver } = internals(store).engine
    this.store = store
    this.point = point
    this.file = file
    this.applied = new AppliedTransactions(driver)
    this.refused = new RefusedTransactions(driver)
  }

  /** An empty database of a schema. */
  static async create(schema: Schema, driver: SqliteDriverFactory = nodeSqliteDriver()): Promise<State> {
    return new State(await open(schema, undefined, driver), { sequence: 0, digest: '' })
  }

  /** Opens a file as a state. Throws what opening a file throws; an older one is migrated. */
  static async from(
    schema: Schema,
    bytes: Uint8Array,
    point: Point,
    driver: SqliteDriverFactory = nodeSqliteDriver(),
  ): Promise<State> {
    return new State(await open(schema, bytes, driver), point)
  }

  /**
   * Opens a file of this machine as a state, without reading it whole. From now on it is the state's own, and goes with
   * it.
   */
  static async at(path: string, schema: Schema, point: Point): Promise<State> {
    const store = await open(schema, undefined, nodeSqliteDriver({ file: path, durable: false }))
    return new State(store, point, path)
  }

  /** The last entry of the log that it has. */
  get sequence(): number {
    return this.point.sequence
  }

  /**
   * The newest state, or that of a sequence number: by the last snapshot before it that is of the log's history, and the
   * log. Where the snapshot has another version of the schema than the code, the log since is replayed by that one first;
   * the result is migrated. Throws NotFoundError where no snapshot and log lead to the sequence number, RowcastError
   * (`log`) where they lead to no state at all, VersionError where the database is newer than the code.
   */
  static async load(
    database: string,
    schema: Schema,
    sources: Sources,
    { at = Number.POSITIVE_INFINITY, driver = nodeSqliteDriver() }: LoadOptions = {},
  ): Promise<Loaded> {
    const { bytes, ...found } = await findSnapshot(database, sources, at)
    const { snapshot } = found
    const definition = await readDefinition(bytes)
    const old =
      definition.version < schema.version ? defineSchema(definition, { patterns: linearWherePossible }) : schema
    const start = { sequence: snapshot.sequence, digest: '' }
    const state = await State.from(old, bytes, start, old === schema ? driver : nodeSqliteDriver())
    try {
      state.point = await pointOf(snapshot, sources.log, state)
      await state.follow(database, sources.log, { upTo: at })
      if (old === schema) return { state, migrated: false, ...found }
      const file = internals(state.store).exportFile()
      return { state: await State.from(schema, file, state.point, driver), migrated: true, ...found }
    } catch (error) {
      await state.close()
      throw error
    } finally {
      if (old !== schema) await state.close()
    }
  }

  /** Applies what the database's log has beyond this state. Throws LogPartedError where that has another history. */
  async follow(
    database: string,
    log: Sources['log'],
    { upTo = Number.POSITIVE_INFINITY, stopsBefore, applied }: FollowOptions = {},
  ): Promise<void> {
    if (this.sequence >= upTo) return
    if (await isApart(log, this.point)) throw new LogPartedError(`log of '${database}'`, this.sequence)
    let restedAt = performance.now()
    for await (const { sequence, payload } of log.read(this.sequence + 1, upTo - this.sequence)) {
      if (sequence !== this.sequence + 1)
        throw new RowcastError('log', `the log goes on with ${sequence} after ${this.sequence}: restore it from a copy`)
      const read = parseRecord(payload, sequence)
      if (read.parent !== undefined && read.parent !== this.point.digest)
        throw new LogPartedError(`log of '${database}'`, this.sequence)
      if (stopsBefore?.(read) === true) return
      const record = await wholeOf(read, sequence, log)
      if (performance.now() - restedAt > SLICE_MS) {
        await immediate()
        restedAt = performance.now()
      }
      const { transitions } = commitChanges(internals(this.store).engine, record.changes)
      this.point = { sequence, digest: digestOf(payload) }
      if (record.id !== undefined)
        this.applied.add(record.format === undefined ? ANYONE : scopeOf(record.by), record.id, sequence)
      this.noteRefused(record, sequence)
      applied?.(record, this.point, transitions)
    }
  }

  /** Takes note of what an entry says was refused. */
  noteRefused({ by, refused }: LogRecord, sequence: number): void {
    for (const one of refused ?? []) this.refused.add(scopeOf(by), one, sequence)
  }

  /** Forgets the ids of old transactions. */
  forgetBefore(sequence: number): void {
    this.applied.forgetBefore(sequence)
    this.refused.forgetBefore(sequence)
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
    return internals(this.store).exportFile()
  }

  async close(): Promise<void> {
    if (this.store.closed) return
    this.applied.finalize()
    this.refused.finalize()
    await this.store.close()
    if (this.file !== undefined) await rm(this.file, { force: true })
  }
}

/** The point of a snapshot; one of before snapshots said of which history they are is of the log's, or begins one. */
async function pointOf({ sequence, digest }: SnapshotInfo, log: Sources['log'], { applied }: State): Promise<Point> {
  const known = digest ?? (await digestAt(log, sequence))
  return { sequence, digest: known ?? digestOf(`${applied.fact('incarnation')} ${sequence}`) }
}

/** What an entry does: a part nothing by itself, and one that stands for parts what is in them. */
async function wholeOf(record: LogRecord, sequence: number, log: Sources['log']): Promise<LogRecord> {
  if (record.kind === 'part') return { ...record, changes: [] }
  if (record.parts === undefined) return record
  const changes: RowChange[] = []
  for await (const part of partsOf(log, record, sequence)) for (const change of part) changes.push(change)
  return { ...record, changes }
}

async function open(schema: Schema, data: Uint8Array | undefined, driver: SqliteDriverFactory): Promise<Store> {
  const store = await createStore({ schema, data, driver, history: { limit: 0 } })
  // There are many on a server, and few rows are read twice.
  internals(store).engine.rowMemory.most = ROW_BYTES
  return store
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

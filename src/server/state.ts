import { nodeSqliteDriver } from '../drivers/node.ts'
import { NotFoundError, RowcastError, SqlError } from '../errors/index.ts'
import { defineSchema, readMetadata, type Schema, type SchemaInput } from '../schema/index.ts'
import { commitChanges, createStore, internals, type RowTransition, type Store } from '../store/index.ts'
import { ANYONE, AppliedTransactions, scopeOf } from './applied-transactions.ts'
import { digestAt, digestOf, isApart, type Point } from './history.ts'
import { LogPartedError } from './log-errors.ts'
import { linearWherePossible } from './patterns/index.ts'
import { parseRecord, type LogRecord } from './log-record.ts'
import type { Log } from './log.ts'
import { RefusedTransactions } from './refused-transactions.ts'
import type { SnapshotInfo, SnapshotStorage } from './snapshot-storage.ts'

interface Stored {
  readonly log: Log
  readonly snapshots: SnapshotStorage
}

/** What a state is loaded from. */
export interface Loaded {
  readonly state: State
  readonly migrated: boolean
  readonly snapshot: SnapshotInfo
  /** The numbers of newer snapshots that were left out: they are of another history than the log. */
  readonly apart: readonly number[]
}

/** A database as of a sequence number: a snapshot, and what the log says since. */
export class State {
  readonly store: Store
  readonly applied: AppliedTransactions
  readonly refused: RefusedTransactions
  /** How far it is in the log, and in which history. */
  point: Point

  private constructor(store: Store, point: Point) {
    const { driver } = internals(store).engine
    this.store = store
    this.point = point
    this.applied = new AppliedTransactions(driver)
    this.refused = new RefusedTransactions(driver)
  }

  /** An empty database of a schema. */
  static async create(schema: Schema): Promise<State> {
    return new State(await open(schema, undefined), { sequence: 0, digest: '' })
  }

  /** Opens a file as a state. Throws what opening a file throws; an older one is migrated. */
  static async from(schema: Schema, bytes: Uint8Array, point: Point): Promise<State> {
    return new State(await open(schema, bytes), point)
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
    stored: Stored,
    at: number = Number.POSITIVE_INFINITY,
  ): Promise<Loaded> {
    const { snapshot, bytes, apart } = await findSnapshot(database, stored, at)
    const definition = await readDefinition(bytes)
    const old =
      definition.version < schema.version ? defineSchema(definition, { patterns: linearWherePossible }) : schema
    const state = await State.from(old, bytes, { sequence: snapshot.sequence, digest: '' })
    try {
      state.point = await pointOf(snapshot, stored.log, state)
      await state.follow(database, stored.log, at)
      if (old === schema) return { state, migrated: false, snapshot, apart }
      const file = internals(state.store).exportFile()
      return { state: await State.from(schema, file, state.point), migrated: true, snapshot, apart }
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
    log: Log,
    upTo: number = Number.POSITIVE_INFINITY,
    seen?: (record: LogRecord, point: Point, transitions: readonly RowTransition[]) => void,
  ): Promise<void> {
    if (this.sequence >= upTo) return
    if (await isApart(log, this.point)) throw new LogPartedError(`log of '${database}'`, this.sequence)
    for await (const { sequence, payload } of log.read(this.sequence + 1)) {
      if (sequence > upTo) return
      if (sequence !== this.sequence + 1)
        throw new RowcastError('log', `the log goes on with ${sequence} after ${this.sequence}: restore it from a copy`)
      const record = parseRecord(payload, sequence)
      if (record.parent !== undefined && record.parent !== this.point.digest)
        throw new LogPartedError(`log of '${database}'`, this.sequence)
      const { transitions } = commitChanges(internals(this.store).engine, record.changes, () => undefined)
      this.point = { sequence, digest: digestOf(payload) }
      if (record.id !== undefined)
        this.applied.add(record.format === undefined ? ANYONE : scopeOf(record.by), record.id, sequence)
      this.noteRefused(record, sequence)
      seen?.(record, this.point, transitions)
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

  /** The state as a file, with what the server keeps in it. */
  snapshot(): Uint8Array {
    return internals(this.store).exportFile()
  }

  async close(): Promise<void> {
    if (this.store.closed) return
    this.applied.finalize()
    this.refused.finalize()
    await this.store.close()
  }
}

/** The last snapshot up to a sequence number that is of the log's history. */
async function findSnapshot(
  database: string,
  { log, snapshots }: Stored,
  at: number,
): Promise<{ readonly snapshot: SnapshotInfo; readonly bytes: Uint8Array; readonly apart: readonly number[] }> {
  const apart: number[] = []
  for (const snapshot of (await snapshots.list(database)).toReversed()) {
    const { sequence } = snapshot
    if (sequence > at) continue
    if (await isApart(log, snapshot)) {
      apart.push(sequence)
      continue
    }
    const bytes = await snapshots.get(database, sequence)
    if (!bytes) continue
    const { first } = await log.bounds()
    if (sequence + 1 >= first || at < Infinity) return { snapshot, bytes, apart }
    break
  }
  if (at < Infinity) throw new NotFoundError(`database '${database}' has no snapshot up to ${at}`)
  const { first, last } = await log.bounds()
  throw new RowcastError(
    'log',
    `database '${database}' has no snapshot that its log, of entries ${first} to ${last}, goes on from: restore log and snapshots from one backup${apart.length > 0 ? `; the snapshots ${apart.join(', ')} are of another history` : ''}`,
  )
}

/** The point of a snapshot; one of before snapshots said of which history they are is of the log's, or begins one. */
async function pointOf({ sequence, digest }: SnapshotInfo, log: Log, { applied }: State): Promise<Point> {
  const known = digest ?? (await digestAt(log, sequence))
  return { sequence, digest: known ?? digestOf(`${applied.fact('incarnation')} ${sequence}`) }
}

async function open(schema: Schema, data: Uint8Array | undefined): Promise<Store> {
  const store = await createStore({ schema, data, driver: nodeSqliteDriver(), history: { limit: 0 } })
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

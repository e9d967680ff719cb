import { nodeSqliteDriver } from '../drivers/node.ts'
import { NotFoundError, RowcastError, SqlError } from '../errors/index.ts'
import { defineSchema, readMetadata, type Schema, type SchemaInput } from '../schema/index.ts'
import { commitChanges, createStore, internals, type RowTransition, type Store } from '../store/index.ts'
import { AppliedTransactions } from './applied-transactions.ts'
import { parseRecord, type LogRecord } from './log-record.ts'
import type { Log } from './log.ts'
import type { SnapshotStorage } from './snapshot-storage.ts'

/** A database as of a sequence number: a snapshot, and what the log says since. */
export class State {
  readonly store: Store
  readonly applied: AppliedTransactions
  /** The last entry of the log that it has. */
  sequence: number

  private constructor(store: Store, sequence: number) {
    this.store = store
    this.sequence = sequence
    this.applied = new AppliedTransactions(internals(store).engine.driver)
  }

  /** An empty database of a schema. */
  static async create(schema: Schema): Promise<State> {
    return new State(await open(schema, undefined), 0)
  }

  /** Opens a file as a state. Throws what opening a file throws; an older one is migrated. */
  static async from(schema: Schema, bytes: Uint8Array, sequence: number): Promise<State> {
    return new State(await open(schema, bytes), sequence)
  }

  /**
   * The newest state, or that of a sequence number: by the last snapshot before it and the log. Where the snapshot has
   * another version of the schema than the code, the log since is replayed by that one first; the result is migrated.
   * Throws NotFoundError where no snapshot and log lead there, VersionError where the database is newer than the code.
   */
  static async load(
    database: string,
    schema: Schema,
    { log, snapshots }: { readonly log: Log; readonly snapshots: SnapshotStorage },
    at: number = Number.POSITIVE_INFINITY,
  ): Promise<{ readonly state: State; readonly migrated: boolean }> {
    const last = (await snapshots.list(database)).findLast(({ sequence }) => sequence <= at)
    const bytes = last && (await snapshots.get(database, last.sequence))
    if (!last || !bytes)
      throw new NotFoundError(`database '${database}' has no snapshot${at < Infinity ? ` up to ${at}` : ''}`)
    const stored = await readDefinition(bytes)
    const old = stored.version < schema.version ? defineSchema(stored) : schema
    const state = await State.from(old, bytes, last.sequence)
    try {
      await state.follow(log, at)
      if (old === schema) return { state, migrated: false }
      const file = internals(state.store).exportFile()
      return { state: await State.from(schema, file, state.sequence), migrated: true }
    } catch (error) {
      await state.close()
      throw error
    } finally {
      if (old !== schema) await state.close()
    }
  }

  /** Applies what the log has beyond this state. */
  async follow(
    log: Log,
    upTo: number = Number.POSITIVE_INFINITY,
    seen?: (record: LogRecord, sequence: number, transitions: readonly RowTransition[]) => void,
  ): Promise<void> {
    if (this.sequence >= upTo) return
    for await (const { sequence, payload } of log.read(this.sequence + 1)) {
      if (sequence > upTo) return
      if (sequence !== this.sequence + 1)
        throw new RowcastError('log', `the log goes on with ${sequence} after ${this.sequence}: restore it from a copy`)
      const record = parseRecord(payload, sequence)
      const { transitions } = commitChanges(internals(this.store).engine, record.changes, () => undefined)
      this.sequence = sequence
      if (record.id !== undefined) this.applied.add(record.id, sequence)
      seen?.(record, sequence, transitions)
    }
  }

  /** The state as a file, with what the server keeps in it. */
  snapshot(): Uint8Array {
    return internals(this.store).exportFile()
  }

  async close(): Promise<void> {
    if (this.store.closed) return
    this.applied.finalize()
    await this.store.close()
  }
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

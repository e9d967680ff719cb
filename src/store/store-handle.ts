import type { Observable } from 'rxjs'
import { withoutHidden, type ChangeSet, type RowChange } from '../changes/index.ts'
import { RowcastError, TransactionError } from '../errors/index.ts'
import type { Schema } from '../schema/index.ts'
import type { SnapshotInfo, Transaction, TransactionOptions } from './api.ts'
import { applyArrival } from './apply-base.ts'
import { DraftHandle } from './draft-handle.ts'
import { isBytes, toBytes } from './bytes.ts'
import { describe } from './describe.ts'
import type { Engine } from './engine.ts'
import { exportCommitted, fileSize, snapshotCommitted } from './export-database.ts'
import { HistoryLog, type HistoryOptions } from './history-log.ts'
import { compileWhere } from './filter-fields.ts'
import { importDatabase } from './import-database.ts'
import type { StoreInternals } from './internals.ts'
import { closeLiveQueries } from './live/index.ts'
import { encodeChanges } from './rows/encode-changes.ts'
import { recommit, repeat, tryOut } from './replica.ts'
import { noSync } from './no-sync.ts'
import { keepLocally, type Keeper } from './persistence/keep-locally.ts'
import type { PersistedContents, PersistenceSession } from './persistence/persistence.ts'
import { isShared } from './persistence/shared-session.ts'
import type { RunningSync } from './running-sync.ts'
import type { StoreSync } from './sync-api.ts'
import { Workspace } from './workspace.ts'

/** A store as callers use it, untyped: `Store` in api.ts is its typed face. */
export class StoreHandle extends Workspace {
  readonly schema: Schema
  readonly tables: readonly string[]
  readonly readOnly: boolean
  readonly history: HistoryLog
  readonly #changes$: Observable<ChangeSet>
  readonly #commits$: Observable<ChangeSet>
  #sync: RunningSync | undefined
  #keeper: Keeper | undefined

  constructor(engine: Engine, options: { history?: HistoryOptions | undefined }) {
    super(engine)
    this.schema = engine.schema
    this.tables = Object.freeze([...engine.byName.keys()])
    this.readOnly = engine.readOnly
    this.history = new HistoryLog(engine, options.history ?? {})
    this.#changes$ = engine.announcer.changes$.asObservable()
    this.#commits$ = engine.announcer.commits$.asObservable()
    engine.onCommitted = (set) => this.history.record(set)
    engine.onDraftEnded = (draftId) => this.history.draftEnded(draftId)
  }

  /** Begins to keep the store in step with a server. */
  startSync(start: (internals: StoreInternals) => RunningSync): void {
    this.#sync = start(this.internals())
    this.#keeper = this.#sync
    this.engine.sync = this.#sync
    this.history.clear()
  }

  /** Keeps the store, which has no server. */
  keep(session: PersistenceSession, contents: PersistedContents): void {
    if (isShared(session)) session.assertAlone()
    const keeper = keepLocally(this.internals(), session, contents)
    this.#keeper = keeper
    this.engine.sync = keeper
    this.history.clear()
  }

  saved(): Promise<void> {
    this.engine.assertOpen()
    return this.#keeper?.saved() ?? Promise.resolve()
  }

  get sync(): StoreSync {
    this.engine.assertOpen()
    return this.#sync?.api ?? noSync
  }

  override transaction<Result>(
    fn: (tx: Transaction) => Result,
    options?: (TransactionOptions & { readonly confirm?: 'server'; readonly retries?: number }) | null,
  ): Result {
    if (options?.confirm === undefined) return super.transaction(fn, options)
    const { confirm, retries = 0, label } = options
    if (confirm !== 'server')
      throw new TransactionError(`transaction: confirm is 'server' or not given, not ${describe(confirm)}`)
    if (!Number.isInteger(retries) || retries < 0)
      throw new TransactionError(`transaction: retries is a whole number from 0, not ${describe(retries)}`)
    const run = (): Result => super.transaction(fn, label === undefined ? null : { label })
    // The type that callers see is that of api.ts: a promise where `confirm` is given.
    return (
      this.#sync ? this.#sync.confirm(run, { label, retries }) : new Promise<Result>((resolve) => resolve(run()))
    ) as Result
  }

  /** For the sync client and tests: see internals.ts. */
  internals(): StoreInternals {
    const { engine } = this
    return {
      engine,
      applyRemote: ({ changes, label }) => applyArrival(engine, encodeChanges(engine, changes.map(arrived)), label),
      assertRows: (table, where) => void compileWhere(engine.table(table), where),
      tryOut: (run, label, pending) => tryOut(engine, run, label, pending),
      refused: (set, code, reason) => this.history.refused(set, code, reason),
      recommit: (changes, label) => recommit(engine, changes, label),
      repeat: (changes, committed) => repeat(engine, changes, committed),
      exportFile: (pending, isTight = false) => snapshotCommitted(engine, pending, isTight),
      fileSize: () => fileSize(engine),
    }
  }

  get changes$(): Observable<ChangeSet> {
    this.engine.assertOpen()
    return this.#changes$
  }

  get commits$(): Observable<ChangeSet> {
    this.engine.assertOpen()
    return this.#commits$
  }

  draft(options?: { label?: string | undefined } | null): DraftHandle {
    this.assertUsable()
    return new DraftHandle(this.engine, options?.label)
  }

  attach(name: string, bytes: Uint8Array | ArrayBuffer): void {
    this.engine.assertOpen()
    if (typeof name !== 'string' || name === '')
      throw new RowcastError('data', `attach expects a name for the database, not ${describe(name)}`)
    const file = fileOf(bytes, 'attach')
    this.engine.settle('attach')
    this.engine.driver.attach(name, file)
  }

  export(): Uint8Array<ArrayBuffer> {
    this.engine.assertOpen()
    return exportCommitted(this.engine)
  }

  import(bytes: Uint8Array | ArrayBuffer): void {
    this.engine.assertWritable()
    importDatabase(this.engine, fileOf(bytes, 'import'))
    this.history.clear()
  }

  get snapshotInfo(): SnapshotInfo {
    this.engine.assertOpen()
    return { schemaVersion: this.schema.version, sequence: this.#sync?.api.sequence ?? 0 }
  }

  get closed(): boolean {
    return this.engine.closed
  }

  /**
   * Completes every stream that was got before: for those who subscribe to it later, at once. Whatever is called or read
   * afterwards throws StoreClosedError, the getters of streams included; but for what only names (`schema`, `tables`,
   * `readOnly`, a draft's `id`, `label` and `state`), `closed`, and what has nothing left to do: `close`, `cancel` of a
   * draft, and `close` of a live query. Open drafts end as cancelled: nothing of them was committed.
   *
   * Resolves once what was committed is kept, where there is a persistence; rejects where that fails. Throws
   * TransactionError within a transaction.
   */
  close(): Promise<void> {
    if (this.engine.closed) return Promise.resolve()
    this.engine.settle('close')
    const keeping = this.#keeper?.close() ?? Promise.resolve()
    closeLiveQueries(this.engine)
    this.engine.close()
    this.history.close()
    return keeping
  }

  override assertUsable(): void {
    this.engine.assertWritable()
  }

  protected override get layer(): undefined {
    return undefined
  }
}

function fileOf(bytes: unknown, what: string): Uint8Array {
  if (!isBytes(bytes))
    throw new RowcastError(
      'data',
      `${what} expects the bytes of a .db file (Uint8Array or ArrayBuffer), not ${describe(bytes)}`,
    )
  return toBytes(bytes)
}

/** A row change from a server, with what it withholds noted as such. */
function arrived(change: RowChange): RowChange {
  return { ...change, after: withoutHidden(change.after) }
}

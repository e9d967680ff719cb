import { ReplaySubject } from 'rxjs'
import {
  isEmpty,
  keyId,
  squash,
  type ChangeSet,
  type Key,
  type KeyId,
  type Origin,
  type RowChange,
  type Steps,
} from '../changes/index.ts'
import type { SqliteDriver, SqlValue } from '../drivers/index.ts'
import { NotFoundError, ReadOnlyError, StoreClosedError, TransactionError, ValidationError } from '../errors/index.ts'
import { sameSql, type Schema, type StoredCells, type TableModel } from '../schema/index.ts'
import {
  installCapture,
  traceRows,
  traceRowsInSteps,
  type CaptureTarget,
  type JournalEntry,
  type RowTrace,
} from '../triggers/index.ts'
import { Announcer } from './announcer.ts'
import { noteBytes } from './bytes-of-changes.ts'
import { EmissionQueue } from './emission-queue.ts'
import { installTextFunctions } from './filter/index.ts'
import type { Layer } from './layers/row-stack.ts'
import { LayerStacks, type Intent } from './layers/layer-stacks.ts'
import { checkCommittedRows } from './layers/covered-rows.ts'
import { checkReservations } from './layers/reservations.ts'
import { withObjects } from './layers/with-objects.ts'
import type { CellId } from './rows/cell-id.ts'
import { addCell, compareStored, InsertedRow, toRowChange, type CellChange, type NetRow } from './rows/cells.ts'
import { keepSingletons } from './rows/kept-singletons.ts'
import { combine, standing, withIntents } from './rows/net-rows.ts'
import { RowMemory } from './rows/row-memory.ts'
import { TableRows } from './rows/table-rows.ts'
import { explainForeignKeys } from './sql/foreign-keys.ts'
import { translateSqlError } from './sql/sqlite-errors.ts'
import { StatementCache } from './sql/statement-cache.ts'
import { TransactionStack } from './transaction-stack.ts'

/** What a transaction is known by, in its ChangeSets and in the history. */
export interface WriteMeta {
  readonly label?: string | undefined
  readonly tag?: unknown
  /** `local` if not given. */
  readonly origin?: Origin
  /** A single statement that is atomic by itself. */
  readonly single?: boolean
}

/** How a commit is meant. */
export interface CommitOptions {
  /** Whether a server is to refuse it where a cell is not as it was here. */
  readonly ifUnchanged?: boolean
  /** What it undoes, or does again. */
  readonly undoes?: ChangeSet | undefined
}

/** The part of a sync client that the engine speaks to. */
export interface SyncHook {
  /** Whether anything is committed here and not confirmed. */
  readonly pending: boolean
  /** Whether such a transaction holds anything of a row: then writing what is there already means something. */
  covers(rows: TableRows, id: KeyId): boolean
  /** Takes what was committed, and what was written as it was. The promise tells when a server has confirmed it. */
  committed(set: ChangeSet, meant: readonly RowChange[], options: CommitOptions): Promise<void>
}

/** Writes of one layer, one after the other, within a transaction. */
interface Segment {
  readonly layer: Layer | undefined
  readonly from: number
  readonly intentsFrom: number
  /** Once another layer writes: what these came to. */
  nets: readonly NetRow[] | undefined
  /** What was meant beyond the nets: writes of the value that was there. */
  intents: readonly Intent[]
}

/** Where a transaction, or a savepoint in it, began. */
interface Mark {
  readonly journal: number
  readonly intents: number
  readonly callbacks: number
}

/** What the store's own writes came to: what is told to subscribers. `set` has one change for each that is visible. */
export interface Settlement extends CommitOptions {
  readonly set: ChangeSet | undefined
  readonly committed: ChangeSet | undefined
}

type Writable<Type> = { -readonly [Part in keyof Type]: Type[Part] }

const none: readonly never[] = Object.freeze([])

/** The changes of so many rows are put into words only when somebody looks. */
const MANY = 100

/**
 * The store without its API: every write runs through `write`, whoever makes it. It keeps the order in which things are
 * true: SQLite commits; then layers, row objects and history are brought up to date; then subscribers are told.
 */
export class Engine implements CaptureTarget {
  readonly schema: Schema
  readonly driver: SqliteDriver
  readonly rows: readonly TableRows[]
  readonly byName: ReadonlyMap<string, TableRows>
  readonly models: readonly TableModel[]
  readonly layers: LayerStacks = new LayerStacks()
  /** The bound of the rows that are kept. */
  readonly rowMemory: RowMemory = new RowMemory()
  /** The prepared statements of queries in SQL. */
  readonly statements: StatementCache
  /** Who is told of what is committed. */
  readonly announcer: Announcer
  readonly closed$: ReplaySubject<void> = new ReplaySubject(1)
  /** Told of each ChangeSet that was committed outside drafts, before subscribers. */
  onCommitted: (set: ChangeSet) => void = () => undefined
  /** Told of each draft that has ended, by its id, before subscribers. */
  onDraftEnded: (draftId: string) => void = () => undefined
  /** Where a server confirms what is committed here. */
  sync: SyncHook | undefined
  /** Where a transaction's reads are noted: keys by table, or `all` of it. */
  reads: Map<TableRows, Set<Key> | 'all'> | undefined
  /** Run before a caller's code, called in the midst of a write, reads or writes anything. */
  beforeUse: (() => void) | undefined
  /** The confirmation of what was committed last. */
  confirmed: Promise<void> = Promise.resolve()
  /** Whether every write throws ReadOnlyError. */
  readOnly = false
  readonly #transactions: TransactionStack
  readonly #emissions = new EmissionQueue()
  readonly #journal: JournalEntry[] = []
  readonly #intents: Intent[] = []
  #segments: Segment[] = []
  #callbacks: { readonly kind: 'commit' | 'rollback'; readonly run: () => void; rolledBack: boolean }[] = []
  readonly #closing = new Set<() => void>()
  #revision = 0
  /** Whether it is between two steps of a transaction. */
  #isPaused = false
  /** The nets of all that the transaction has written, where they are known. */
  #known: { readonly nets: readonly NetRow[]; readonly upTo: number } | undefined
  #closed = false

  constructor(driver: SqliteDriver, schema: Schema) {
    this.driver = driver
    this.schema = schema
    this.rows = [...schema.tables.values()].map((table) => new TableRows(driver, table, this.rowMemory))
    this.models = this.rows.map((rows) => rows.schema.model)
    this.byName = new Map(this.rows.map((rows) => [rows.schema.model.name, rows]))
    this.announcer = new Announcer(this.rows, this.#emissions)
    this.statements = new StatementCache(driver)
    this.#transactions = new TransactionStack(driver)
    installCapture(driver, this.models, this)
    installTextFunctions(driver)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whether a transaction is open. */
  get inTransaction(): boolean {
    return this.#transactions.depth > 0
  }

  /** Whether live queries know all that SQLite holds: what a transaction has written, and what is still to be told, they don't. */
  get upToDate(): boolean {
    return this.#journal.length === 0 && this.announcer.upToDate
  }

  /** Another number whenever something was written, or taken back. */
  get revision(): number {
    return this.#revision
  }

  /** Whether what is being told of is the last that was written: a row that it inserted is still as it was inserted. */
  get tellsTheLast(): boolean {
    return this.#journal.length === 0 && this.announcer.tellsTheLast
  }

  /** The draft that writes, `undefined` outside any. */
  get writing(): Layer | undefined {
    return this.#segments.at(-1)?.layer
  }

  assertOpen(): void {
    if (this.#closed) throw new StoreClosedError()
    this.beforeUse?.()
  }

  table(name: string): TableRows {
    this.assertOpen()
    const rows = this.byName.get(name)
    if (!rows)
      throw new NotFoundError(`there is no table '${name}': the schema has ${[...this.byName.keys()].join(', ')}`)
    return rows
  }

  /**
   * Runs writes as one transaction, or as a savepoint within the one that is open. What `fn` throws undoes all that it
   * did. Once the outermost has committed, one ChangeSet goes out.
   */
  write<Result>(layer: Layer | undefined, meta: WriteMeta, fn: () => Result): Result {
    this.assertWritable()
    const outermost = !this.inTransaction
    if (meta.single && !(outermost && this.driver.durable)) return this.#writeSingle(layer, meta, fn, outermost)
    return this.#run(outermost, () => {
      this.#enter(layer)
      const result = fn()
      return { result, settle: outermost ? this.#prepare(meta) : undefined }
    })
  }

  /**
   * The same outside drafts, in steps: between two of them others may run who neither read nor write here, which is up to
   * the caller. Not within a transaction. Ended by `return`, it has done nothing.
   */
  *writeInSteps<Result>(meta: WriteMeta, fn: () => Steps<Result>): Steps<Result> {
    this.assertOutside('a transaction in steps')
    const mark = this.#begin()
    let result: Result
    let settle: () => void
    let isOver = false
    try {
      this.#enter(undefined)
      result = yield* this.#paused(fn())
      settle = this.#prepare(meta)
      this.#transactions.commit()
      isOver = true
    } catch (error) {
      isOver = true
      const explained = this.#explain(error)
      this.#takeBack(mark, true)
      throw explained
    } finally {
      if (!isOver) this.#takeBack(mark, true)
    }
    this.#emissions.hold(settle)
    return result
  }

  /** Nobody writes between two steps of a transaction. */
  *#paused<Result>(steps: Steps<Result>): Steps<Result> {
    for (;;) {
      const step = steps.next()
      if (step.done) return step.value
      this.#isPaused = true
      try {
        yield
      } finally {
        this.#isPaused = false
      }
    }
  }

  /**
   * Runs the store's own writes, which say themselves what they mean for the layers: a cancel, an undo, an arrival.
   * `settle` is called once SQLite has committed, with what became visible; it tells what was committed. Not within a
   * transaction, whose end could still take it back.
   */
  writeSettled(what: string, fn: () => void, settle: (visible: readonly NetRow[]) => Settlement): void {
    this.assertOutside(what)
    this.#run(true, () => {
      fn()
      const visible = this.#nets(0, this.#journal.length)
      return {
        result: undefined,
        settle: () => {
          const { set, committed, ...options } = settle(visible)
          if (committed) this.#toSync(committed, [], options)
          this.announcer.announce(visible, set, committed)
          this.#ended(true)
        },
      }
    })
  }

  /** Throws as every write does, and TransactionError within a transaction. */
  assertOutside(what: string): void {
    this.assertWritable()
    this.#outside(what)
  }

  assertWritable(): void {
    this.assertOpen()
    if (this.readOnly) throw new ReadOnlyError()
    if (this.#isPaused) throw new TransactionError('a transaction that is made in steps is not over')
  }

  /** Notes that a row was read, or that a table was. */
  noteRead(rows: TableRows, key?: Key): void {
    this.beforeUse?.()
    const { reads } = this
    if (!reads || reads.get(rows) === 'all') return
    const keys = reads.get(rows) as Set<Key> | undefined
    if (key === undefined) reads.set(rows, 'all')
    else if (keys) keys.add(key)
    else reads.set(rows, new Set([key]))
  }

  /** Runs a write that is meant to a cell even where the value is there already. */
  intend(intent: Intent): void {
    if (this.#meansMatter) this.#intents.push(intent)
  }

  /** Registers what to run once the outermost transaction has ended. */
  onEnd(kind: 'commit' | 'rollback', run: () => void): void {
    if (!this.inTransaction) throw new TransactionError('there is no transaction to wait for')
    this.#callbacks.push({ kind, run, rolledBack: false })
  }

  /** Forgets what a savepoint of the caller's own has undone. */
  forgetSince(mark: number): void {
    const writing = this.#segments.at(-1)
    this.#undo(mark, this.#intents.length)
    // Whoever has undone it goes on writing.
    if (writing && !this.#segments.includes(writing)) this.#enter(writing.layer)
  }

  /** The net changes of what the transaction has done since a point of the journal. */
  netsSince(mark: number): readonly NetRow[] {
    return this.#nets(mark, this.#journal.length)
  }

  /** The net changes of all that the transaction has done, in steps. They are not made again at its end, if it writes no more. */
  *netsInSteps(): Steps<readonly NetRow[]> {
    const nets: NetRow[] = []
    const traces = yield* traceRowsInSteps(this.#journal)
    for (const trace of traces) {
      nets.push(this.#net(trace))
      yield
    }
    this.#known = { nets: combine(nets), upTo: this.#journal.length }
    return this.#known.nets
  }

  /** The rowids of a table under which anything was written since a point of the journal, and is still there. */
  writtenSince(mark: number, { schema }: TableRows): Iterable<number> {
    const found = new Set<number>()
    for (let at = mark; at < this.#journal.length; at++) {
      const { op, table, rowid } = this.#journal[at]!
      if (table !== schema.model.index) continue
      if (op === 'delete') found.delete(rowid)
      else found.add(rowid)
    }
    return found
  }

  get mark(): number {
    return this.#journal.length
  }

  /** Tells what the rows that were just inserted hold, which saves reading them. Columns that are not told are NULL. */
  noteInserted(table: number, rows: readonly StoredCells[]): void {
    const from = this.#journal.length - rows.length
    for (const [n, cells] of rows.entries()) {
      const entry = this.#journal[from + n]
      if (entry?.op === 'insert' && entry.table === table) entry.cells = cells
    }
  }

  /** Tells a subscriber something at once. What it writes meanwhile is told after that. */
  tell(run: () => void): void {
    if (this.inTransaction || this.#emissions.draining) run()
    else this.enqueue(run)
  }

  /** Runs something of which subscribers are told only once it has ended. */
  holdEmissions(run: () => void): void {
    this.#emissions.hold(run)
  }

  /** Runs one listener: what it throws surfaces as an uncaught error and stops nobody else. */
  guard(run: () => void): void {
    this.#emissions.guard(run)
  }

  /** Runs something after what is being written now has been told. */
  later(run: () => void): void {
    this.#emissions.push(run)
  }

  /** Runs something in the order of emissions. */
  enqueue(run: () => void): void {
    this.#emissions.push(run)
    if (!this.inTransaction) this.#emissions.drain()
  }

  changeSet(nets: readonly NetRow[], meta: WriteMeta, draftId?: string): ChangeSet {
    const set: Writable<ChangeSet> = { changes: none, origin: meta.origin ?? 'local' }
    if (meta.label !== undefined) set.label = meta.label
    if (meta.tag !== undefined) set.tag = meta.tag
    if (draftId !== undefined) set.draftId = draftId
    if (nets.length < MANY) set.changes = Object.freeze(nets.map(toRowChange))
    else {
      let rows: readonly NetRow[] = nets
      let changes: readonly RowChange[] | undefined
      Object.defineProperty(set, 'changes', {
        enumerable: true,
        // Made for the first who looks: a large import is often looked at by nobody.
        get: () => {
          changes ??= Object.freeze(rows.map(toRowChange))
          rows = []
          return changes
        },
      })
      noteBytes(set, nets)
    }
    return Object.freeze(set)
  }

  /** Runs something when the store closes. Returns what takes it back. */
  closing(run: () => void): () => void {
    this.#closing.add(run)
    return () => void this.#closing.delete(run)
  }

  /** The database as a file. Not within a transaction. */
  serialize(): Uint8Array {
    this.#outside('export')
    this.#transactions.settle()
    return this.driver.serialize()
  }

  /** Brings the connection to rest, for what can't run inside a transaction. */
  settle(what: string): void {
    this.#outside(what)
    this.#transactions.settle()
  }

  close(): void {
    if (this.#closed) return
    this.#outside('close')
    this.#closed = true
    for (const run of Array.from(this.#closing)) this.#emissions.guard(run)
    this.announcer.close()
    for (const rows of this.rows) rows.finalize()
    this.statements.finalize()
    this.#transactions.finalize()
    this.closed$.next()
    this.driver.close()
  }

  // What the triggers tell. These run inside SQLite: they note, and touch nothing but the cached row.

  inserted(table: number, rowid: number): void {
    if (!Number.isSafeInteger(rowid)) throw this.#beyondIntegers(table)
    this.#revision++
    this.#journal.push({ op: 'insert', table, rowid, cells: undefined })
  }

  deleted(table: number, rowid: number, before: SqlValue[]): void {
    this.#revision++
    this.#journal.push({ op: 'delete', table, rowid, before, undo: this.rows[table]!.forget(rowid) })
  }

  updated(table: number, rowid: number, column: number, before: SqlValue, after: SqlValue): void {
    this.#revision++
    this.#journal.push({
      op: 'update',
      table,
      rowid,
      column,
      before,
      after,
      undo: this.rows[table]!.patch(rowid, column, after),
    })
  }

  /** Only a key that is SQLite's rowid can be so large. */
  #beyondIntegers(table: number): ValidationError {
    const { model } = this.rows[table]!.schema
    const message = 'is beyond 2^53, where numbers are no longer exact'
    return new ValidationError([
      { table: model.name, key: undefined, path: model.key[0]?.path ?? '', keyword: 'maximum', message },
    ])
  }

  #run<Result>(outermost: boolean, work: () => { result: Result; settle: (() => void) | undefined }): Result {
    const mark = this.#begin()
    let outcome: { result: Result; settle: (() => void) | undefined }
    try {
      outcome = work()
      this.#transactions.commit()
    } catch (error) {
      const explained = this.#explain(error)
      this.#takeBack(mark, outermost)
      throw explained
    }
    if (!outermost) return outcome.result
    const { settle } = outcome
    // Whoever is told of something meanwhile may write in answer: once all of this is in order.
    if (settle) this.#emissions.hold(settle)
    else this.#emissions.drain()
    return outcome.result
  }

  #begin(): Mark {
    const mark = { journal: this.#journal.length, intents: this.#intents.length, callbacks: this.#callbacks.length }
    this.#transactions.begin()
    return mark
  }

  #takeBack(mark: Mark, outermost: boolean): void {
    this.#transactions.rollback()
    this.#undo(mark.journal, mark.intents)
    if (outermost) this.#ended(false)
    else for (const callback of this.#callbacks.slice(mark.callbacks)) callback.rolledBack = true
  }

  #writeSingle<Result>(layer: Layer | undefined, meta: WriteMeta, fn: () => Result, outermost: boolean): Result {
    const mark = { journal: this.#journal.length, intents: this.#intents.length }
    if (outermost) this.#transactions.single()
    let result: Result
    let settle: (() => void) | undefined
    try {
      this.#enter(layer)
      result = fn()
      if (outermost) settle = this.#prepare(meta)
    } catch (error) {
      // The statement has undone itself.
      const explained = this.#explain(error)
      this.#undo(mark.journal, mark.intents)
      if (outermost) this.#ended(false)
      throw explained
    }
    if (settle) this.#emissions.hold(settle)
    return result
  }

  #explain(error: unknown): unknown {
    const explained = translateSqlError(error, this.models)
    return explainForeignKeys(explained, this, () => this.#nets(0, this.#journal.length))
  }

  /** Starts a new segment when another layer writes. */
  #enter(layer: Layer | undefined): void {
    const current = this.#segments.at(-1)
    if (current && current.layer === layer && current.nets === undefined) return
    if (current && current.nets === undefined) this.#closeSegment(current)
    this.#segments.push({
      layer,
      from: this.#journal.length,
      intentsFrom: this.#intents.length,
      nets: undefined,
      intents: [],
    })
  }

  #closeSegment(segment: Segment): void {
    if (!this.#meansMatter) {
      segment.nets = this.#nets(segment.from, this.#journal.length)
      return
    }
    const to = this.#journal.length
    // A slider's step: one cell, which has changed.
    const traces = to - segment.from > 1 ? traceRows(this.#journal, segment.from) : undefined
    segment.nets = traces ? this.#netsOf(traces) : this.#nets(segment.from, to)
    const meant = this.#intents.slice(segment.intentsFrom)
    if (traces) meant.push(...this.#returned(traces))
    segment.intents = standing(withObjects(this.layers, segment.layer, segment.nets, meant), segment.nets)
  }

  /**
   * The last step before SQLite commits: nets and checks, all that may still throw. Returns what makes the commit known:
   * it can't fail.
   */
  #prepare(meta: WriteMeta): () => void {
    const last = this.#segments.at(-1)
    if (last && last.nets === undefined) this.#closeSegment(last)
    const segments = this.#segments.filter(saysSomething)
    const only = segments.length === 1 ? segments[0]! : undefined
    if (!only && segments.some((segment) => segment.layer !== segments[0]!.layer))
      throw new TransactionError(
        'one transaction wrote both through a draft and outside it, or through two drafts: whether they fit together is judged one after the other, so make them two',
      )
    const visible = only ? only.nets! : this.#nets(0, this.#journal.length)
    // What another has decided is taken as it is.
    if (meta.origin !== 'remote') keepSingletons(visible)
    if (this.layers.empty) {
      if (only && !only.layer) return () => this.#settlePlain(only, meta)
    } else
      for (const segment of segments) {
        checkReservations(this.layers, segment.layer, withIntents(segment.nets!, segment.intents), this.byName)
        if (!segment.layer) checkCommittedRows(this.layers, withIntents(segment.nets!, segment.intents))
      }
    return () => {
      const commits: ChangeSet[] = []
      const meant: RowChange[] = []
      for (const segment of segments) {
        const { intents } = segment
        if (segment.layer) {
          this.layers.record(segment.layer, segment.nets!, intents)
          continue
        }
        const nets = this.layers.committedNets(segment.nets!, intents)
        if (this.sync) meant.push(...this.#meant(intents, nets))
        if (!this.layers.empty) this.layers.recordBase(segment.nets!, intents)
        if (nets.length > 0) commits.push(this.changeSet(nets, meta))
      }
      const committed = commits.length > 1 ? squash(commits) : commits[0]
      const set = visible.length === 0 ? undefined : this.changeSet(visible, meta, only?.layer?.id)
      if (commits.length > 1 ? !isEmpty(committed!) : committed) this.onCommitted(committed!)
      this.#toSync(committed ?? this.changeSet([], meta), meant)
      this.announcer.announce(visible, set, committed)
      this.#ended(true)
    }
  }

  /** A commit where there is no draft: what was written is what is seen, and what is committed. */
  #settlePlain({ nets, intents }: Segment, meta: WriteMeta): void {
    const committed = nets!.length > 0 ? this.changeSet(nets!, meta) : undefined
    if (committed) this.onCommitted(committed)
    if (this.sync) this.#toSync(committed ?? this.changeSet([], meta), this.#meant(intents, nets!))
    this.announcer.announce(nets!, committed, committed)
    this.#ended(true)
  }

  /** Cells that were written and have come back to what they showed: no change, but written all the same. */
  #returned(traces: readonly RowTrace[]): Intent[] {
    const found: Intent[] = []
    for (const trace of traces) {
      if (!trace.existed || trace.deleted) continue
      const rows = this.rows[trace.table]!
      for (const [cell, { before, after }] of trace.cells) {
        if (!sameSql(before, after) || cell === rows.schema.model.rest?.index) continue
        const key = rows.keyAt(trace.rowid)
        found.push({ rows, key, id: keyId(key), cell, value: after })
      }
    }
    return found
  }

  #nets(from: number, to: number): readonly NetRow[] {
    if (from === to) return []
    if (from === 0 && this.#known?.upTo === to) return this.#known.nets
    const single = to - from === 1 ? this.#journal[from]! : undefined
    // A slider's step: one cell of one row.
    if (single?.op === 'update') {
      const rows = this.rows[single.table]!
      const key = rows.keyAt(single.rowid)
      const cells = new Map<CellId, CellChange>()
      addCell(rows.schema.model, cells, single.column, single.before, single.after)
      return cells.size === 0 ? [] : [{ rows, key, id: keyId(key), op: 'update', cells }]
    }
    return this.#netsOf(traceRows(this.#journal, from, to))
  }

  #netsOf(traces: readonly RowTrace[]): NetRow[] {
    return combine(traces.map((trace) => this.#net(trace)))
  }

  #net(trace: RowTrace): NetRow {
    const rows = this.rows[trace.table]!
    const { model } = rows.schema
    if (trace.after && !trace.deleted) {
      const key = rows.keyOfCells(trace.after)
      rows.revive(key, trace.rowid)
      return new InsertedRow(rows, key, trace.rowid, trace.after)
    }
    if (trace.deleted || !trace.existed) {
      const stored = trace.deleted ? trace.before! : rows.stored(trace.rowid)
      const key = rows.keyOf(stored)
      if (!trace.deleted) rows.revive(key, trace.rowid)
      const cells = trace.deleted ? compareStored(model, stored, undefined) : compareStored(model, undefined, stored)
      return { rows, key, id: keyId(key), op: trace.deleted ? 'delete' : 'insert', cells }
    }
    const key = rows.keyAt(trace.rowid)
    const cells = this.#cellsOf(model, trace)
    // Everything came back: the row is the same object as before.
    if (cells.size === 0) trace.restore?.()
    return { rows, key, id: keyId(key), op: 'update', cells }
  }

  #toSync(committed: ChangeSet, meant: readonly RowChange[], options: CommitOptions = {}): void {
    if (this.sync && (!isEmpty(committed) || meant.length > 0))
      this.confirmed = this.sync.committed(committed, meant, options)
  }

  /** Whether it matters that a cell was written, where its value did not change. */
  get #meansMatter(): boolean {
    return !this.layers.empty || (this.sync?.pending ?? false)
  }

  /** What was written as it was, where a pending transaction holds the cell. */
  #meant(intents: readonly Intent[], nets: readonly NetRow[]): RowChange[] {
    return intents
      .filter(
        ({ rows, id, cell }) =>
          this.sync!.covers(rows, id) && !nets.some((net) => net.rows === rows && net.id === id && net.cells.has(cell)),
      )
      .map(({ rows, key, id, cell, value }) =>
        toRowChange({ rows, key, id, op: 'update', cells: new Map([[cell, { before: value, after: value }]]) }),
      )
  }

  /** The cells of a row that differ; those that were traced, where all of them do. */
  #cellsOf(model: TableModel, { cells: traced }: RowTrace): ReadonlyMap<CellId, CellChange> {
    let asTraced = model.rest === undefined || !traced.has(model.rest.index)
    if (asTraced) for (const { before, after } of traced.values()) asTraced &&= !sameSql(before, after)
    if (asTraced) return traced
    const cells = new Map<CellId, CellChange>()
    for (const [column, { before, after }] of traced)
      if (!sameSql(before, after)) addCell(model, cells, column, before, after)
    return cells
  }

  #undo(journal: number, intents: number): void {
    this.#revision++
    this.#known = undefined
    for (let at = this.#journal.length - 1; at >= journal; at--) {
      const entry = this.#journal[at]!
      if (entry.op !== 'insert' && entry.undo) entry.undo()
      // It was not known then, and may have been read since.
      else if (entry.op !== 'delete') this.rows[entry.table]!.forget(entry.rowid)
    }
    this.#journal.length = journal
    this.#intents.length = intents
    this.#segments = this.#segments.filter((segment) => segment.from < journal || segment.intentsFrom < intents)
    const last = this.#segments.at(-1)
    if (last) last.nets = undefined
  }

  #ended(committed: boolean): void {
    this.#known = undefined
    this.#journal.length = 0
    this.#intents.length = 0
    this.#segments = []
    for (const rows of this.rows) rows.letGo()
    this.rowMemory.release()
    if (this.#callbacks.length === 0) return
    const callbacks = this.#callbacks
    this.#callbacks = []
    for (const { kind, run, rolledBack } of callbacks)
      if ((kind === 'commit') === (committed && !rolledBack)) this.#emissions.push(run)
    if (!committed) this.#emissions.drain()
  }

  #outside(what: string): void {
    if (this.inTransaction) throw new TransactionError(`${what} can't run inside a transaction`)
  }
}

function saysSomething({ nets, intents }: Segment): boolean {
  return nets!.length > 0 || intents.length > 0
}

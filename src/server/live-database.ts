import { randomUUID } from 'node:crypto'
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises'
import { invert, isEmpty, type ChangeSet } from '../changes/index.ts'
import { NotFoundError, RowcastError, StoreClosedError } from '../errors/index.ts'
import type { Schema } from '../schema/index.ts'
import { internals, transitionsOf, type RowTransition, type Store } from '../store/index.ts'
import type { ClosingCode, WireTransaction } from '../transport/index.ts'
import type { Access } from './access.ts'
import { scopeOf } from './applied-transactions.ts'
import { authorOf, type Author } from './author.ts'
import { assertReads, decide } from './decide.ts'
import type { Committed, Decided, Listener, Outcome } from './decided.ts'
import { LogConflictError, LogPartedError, LogUncertainError } from './log-errors.ts'
import { assertDepth, assertDepthOf } from './depth.ts'
import { digestAt, digestOf, isApart, type Point } from './history.ts'
import { formatRecord, parseRecord, type LogRecord } from './log-record.ts'
import type { Limits } from './limits.ts'
import type { Log } from './log.ts'
import { Positions } from './position.ts'
import { Presence } from './presence.ts'
import { RecentChanges } from './recent-changes.ts'
import { ConflictError, MAX_REASON, type Refusal } from './refusals.ts'
import { Serial } from './serial.ts'
import type { SnapshotInfo, SnapshotStorage } from './snapshot-storage.ts'
import { State } from './state.ts'
import { toldOf } from './told.ts'
import { UnloggedRefusals, type StagedRefusals } from './unlogged-refusals.ts'
import { Verdicts } from './verdicts.ts'

interface Waiting {
  readonly transaction: WireTransaction
  readonly access: Access
  readonly author: Listener | undefined
  /** What its `base` position stands for. */
  readonly base: Point | undefined
  readonly settle: (outcome: Outcome) => void
  readonly fail: (error: unknown) => void
}

export interface LiveDatabaseOptions {
  readonly schema: Schema
  readonly log: Log
  readonly snapshots: SnapshotStorage
  readonly secret: string
  readonly now: () => number
  /** A snapshot is made after so many entries. */
  readonly snapshotEvery: number
  /** So many entries before the newest snapshot stay in the log. */
  readonly historyEntries: number
  readonly limits: Pick<Limits, 'databasePresenceBytes' | 'recentBytes' | 'verdictBytes'>
  readonly report: (error: unknown) => void
  /** Its state is of another history than the log by now: it is of no use any more, and is to be opened anew. */
  readonly parted?: () => void
}

/** What a batch came to on the state as it is, before the log has it. */
interface Draft {
  readonly committed: readonly Committed[]
  readonly payloads: readonly string[]
  readonly outcomes: readonly { readonly waiting: Waiting; readonly outcome: Outcome; readonly before: number }[]
  /** Those that were refused now, and not before. */
  readonly refused: readonly Waiting[]
  readonly unlogged: StagedRefusals
}

/** Entries of the log in one append, at most. */
const MAX_BATCH = 1_000
/** Connections where telling all takes its time. */
const MANY_LISTENERS = 100
/** Transactions that wait where many are writing. */
const MANY_WAITING = 8
/** Telling that takes longer than this, or ended less long ago, keeps the server busy. */
const BUSY_MS = 4
const LONGEST_GATHER_MS = 25
/** How long the text of the whole database is kept for others who come. */
const KEEP_WHOLE_MS = 5_000
/** Ids of transactions that went in are known for so many entries: one that is sent again later would go in again. */
const KNOWN_IDS = 1_000_000

/**
 * One database that is open: the state in memory, and the one place where its transactions are decided. All that
 * happens to it happens one after the other: transactions are decided on state n, appended to the log expecting n, and
 * known to anyone only then. Where the append fails they are taken back, and decided again on what the log has.
 */
export class LiveDatabase {
  readonly name: string
  readonly positions: Positions
  readonly presence: Presence
  readonly #options: LiveDatabaseOptions
  readonly #serial = new Serial()
  readonly #listeners = new Set<Listener>()
  readonly #verdicts: Verdicts
  readonly #unlogged = new UnloggedRefusals()
  readonly #recent: RecentChanges
  #waiting: Waiting[] = []
  #pumping = false
  /** When everyone was told last, and how long it took. */
  #telling = { endedAt: 0, tookMs: 0 }
  #state: State
  #snapshotAt: number
  #whole: { readonly sequence: number; readonly texts: readonly string[] } | undefined
  #forgetWhole: NodeJS.Timeout | undefined
  #closed = false
  #parted = false

  private constructor(name: string, state: State, snapshotAt: number, options: LiveDatabaseOptions) {
    this.name = name
    this.#options = options
    this.#state = state
    this.#snapshotAt = snapshotAt
    const { databasePresenceBytes, recentBytes, verdictBytes } = options.limits
    this.presence = new Presence(databasePresenceBytes)
    this.#verdicts = new Verdicts(verdictBytes)
    this.#recent = new RecentChanges(state.point, recentBytes)
    this.positions = new Positions(options.secret, name, state.applied.fact('incarnation')!)
  }

  /** Makes a database: its first entry in the log, and a snapshot, which is what makes it be there. */
  static async create(
    name: string,
    options: LiveDatabaseOptions,
    from?: { readonly bytes: Uint8Array; readonly origin?: LogRecord['from']; readonly author: Author },
  ): Promise<LiveDatabase> {
    const { schema, log, snapshots, now } = options
    const state = await State.create(schema)
    try {
      // Its rows are taken, checked like any others; what else a file may have in it is not.
      if (from) {
        state.store.import(from.bytes)
        assertDepth(state.store)
      }
      const incarnation = randomUUID()
      state.applied.setFact('incarnation', incarnation)
      const record: LogRecord = {
        kind: 'created',
        parent: incarnation,
        at: now(),
        changes: [],
        ...(from?.origin && { from: from.origin }),
        ...from?.author,
      }
      const payload = formatRecord(record)
      await log.append([payload], 0)
      state.point = { sequence: 1, digest: digestOf(payload) }
      await snapshots.put(name, { ...state.point, at: record.at }, state.snapshot())
    } catch (error) {
      await state.close()
      throw error
    }
    return new LiveDatabase(name, state, 1, options)
  }

  /**
   * Opens what is there: the newest snapshot of the log's history and the log since. A migrated state becomes a snapshot at
   * once. Throws what State.load throws.
   */
  static async open(name: string, options: LiveDatabaseOptions): Promise<LiveDatabase> {
    const { state, migrated, snapshot, apart } = await State.load(name, options.schema, options)
    if (apart.length > 0)
      options.report(
        new RowcastError(
          'log',
          `database '${name}' goes on from its snapshot ${snapshot.sequence} and its log; the snapshots ${apart.join(', ')} are of another history and left out: to have that one, restore log and snapshots from one backup`,
        ),
      )
    if (migrated) {
      // One of the same state has another schema: it keeps its label.
      const label = snapshot.sequence === state.sequence ? snapshot.label : undefined
      await options.snapshots.put(name, { ...state.point, label, at: options.now() }, state.snapshot())
    }
    return new LiveDatabase(name, state, migrated ? state.sequence : snapshot.sequence, options)
  }

  get store(): Store {
    return this.#state.store
  }

  /** Another one where a database was deleted and made again. */
  get incarnation(): string {
    return this.#state.applied.fact('incarnation')!
  }

  /** The last entry of the log that is in the state. */
  get sequence(): number {
    return this.#state.sequence
  }

  /** Where the state is in the history. */
  get point(): Point {
    return this.#state.point
  }

  /** The point of a sequence number, as far as the log tells. Between transactions. */
  async pointAt(sequence: number): Promise<Point | undefined> {
    if (sequence === this.sequence) return this.point
    const digest = sequence < this.sequence ? await digestAt(this.#options.log, sequence) : undefined
    return digest === undefined ? undefined : { sequence, digest }
  }

  /** What someone who sees everything is sent to begin with, made once for all who come before the next transaction. */
  wholeText(make: () => readonly string[]): readonly string[] {
    if (this.#whole?.sequence !== this.sequence) this.#whole = { sequence: this.sequence, texts: make() }
    clearTimeout(this.#forgetWhole)
    this.#forgetWhole = setTimeout(() => {
      this.#whole = undefined
    }, KEEP_WHOLE_MS).unref()
    return this.#whole.texts
  }

  get listeners(): number {
    return this.#listeners.size
  }

  /** Whether nothing is being decided or waits to be. */
  get idle(): boolean {
    return this.#waiting.length === 0 && !this.#pumping
  }

  /** Runs something between transactions: it sees only what the log has. */
  run<Result>(task: () => Result | Promise<Result>): Promise<Result> {
    return this.#serial.run(async () => {
      if (this.#closed || this.#parted) throw new StoreClosedError(`database '${this.name}'`)
      try {
        return await task()
      } catch (error) {
        throw this.#failed(error)
      }
    })
  }

  /** From now on told of what is decided. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Decides a transaction in its turn. Rejects where the server failed: nothing is known of it then. */
  submit(
    transaction: WireTransaction,
    context: {
      readonly access: Access
      readonly author?: Listener
      readonly base?: Point | undefined
    },
  ): Promise<Outcome> {
    return new Promise((settle, fail) => {
      const { access, author, base } = context
      this.#waiting.push({ transaction, access, author, base, settle, fail })
      this.#pump()
    })
  }

  /**
   * Makes the state that of a file, as one transaction that everyone sees (a rollback, an import). Throws what
   * `store.import` throws; then nothing has changed.
   */
  replace(bytes: Uint8Array, record: Omit<LogRecord, 'at' | 'changes'>): Promise<number> {
    return this.run(async () => {
      const before = this.#state.sequence
      const transitions = importTransitions(this.store, bytes)
      const changes = transitions.map(({ change }) => change)
      try {
        assertDepthOf(changes)
      } catch (error) {
        this.#takeBack([{ changes }])
        throw error
      }
      if (changes.length === 0) return before
      const { digest: parent } = this.#state.point
      const entry: LogRecord = { ...record, parent, at: this.#options.now(), changes }
      const payload = formatRecord(entry)
      try {
        await this.#append([payload])
      } catch (error) {
        this.#takeBack([{ changes }])
        throw error
      }
      const point = { sequence: before + 1, digest: digestOf(payload) }
      this.#confirm([{ ...point, record: entry, transitions, author: undefined, sent: undefined }], [])
      return this.#state.sequence
    })
  }

  /** Takes in what other servers have appended. */
  follow(): Promise<void> {
    return this.run(() => this.#catchUp())
  }

  /**
   * Puts a snapshot aside. One that is there already with the same label, or with one where none is asked for, stays.
   * Throws RowcastError (`exists`) where it has another label.
   */
  snapshot(label?: string): Promise<{ readonly sequence: number; readonly label?: string; readonly made: boolean }> {
    return this.run(async () => {
      const { sequence } = this.#state
      const there = (await this.snapshots()).find((one) => one.sequence === sequence)
      if (there?.label !== undefined) {
        if (label === undefined || label === there.label) return { sequence, label: there.label, made: false }
        throw new RowcastError(
          'exists',
          `nothing has changed since the snapshot '${there.label}' of ${sequence}: use that label`,
        )
      }
      await this.#snapshot(label)
      return { sequence, ...(label !== undefined && { label }), made: true }
    })
  }

  /** Tells everyone that the database goes. */
  dismiss(code: ClosingCode, reason: string): void {
    for (const listener of Array.from(this.#listeners)) listener.end(code, reason)
  }

  /** Finishes what has begun, keeps a snapshot, and closes. */
  close(): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#closed) return
      this.#closed = true
      this.presence.close()
      clearTimeout(this.#forgetWhole)
      for (const { fail } of this.#waiting.splice(0)) fail(new StoreClosedError(`database '${this.name}'`))
      try {
        if (!this.#parted && this.#state.sequence > this.#snapshotAt) await this.#snapshot()
      } finally {
        await this.#state.close()
        await this.#options.log.close()
      }
    })
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    this.#serial
      .run(async () => {
        // What the sockets bring in the same turn goes together: one write to the log, one message to each listener.
        await immediate()
        await this.#gather()
        this.#pumping = false
        const batch = this.#waiting.splice(0, MAX_BATCH)
        if (this.#waiting.length > 0) this.#pump()
        if (batch.length === 0) return
        try {
          if (this.#parted) throw new StoreClosedError(`database '${this.name}'`)
          await this.#process(batch)
        } catch (error) {
          const failure = this.#failed(error)
          for (const { fail } of batch) fail(failure)
        }
        if (!this.#parted) await this.#housekeep()
      })
      .catch(this.#options.report)
  }

  /**
   * Where telling everyone takes its time, and many are writing, waits for as long as the last telling took: the
   * messages are fewer then, and everyone has all of it sooner.
   */
  async #gather(): Promise<void> {
    const { endedAt, tookMs } = this.#telling
    const isCrowded = this.#listeners.size >= MANY_LISTENERS && this.#waiting.length >= MANY_WAITING
    const isBusy = isCrowded && performance.now() - endedAt < BUSY_MS
    if (isBusy && tookMs > BUSY_MS) await delay(Math.min(tookMs, LONGEST_GATHER_MS))
  }

  async #process(batch: readonly Waiting[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { committed, payloads, outcomes, refused, unlogged } = this.#decide(batch)
      try {
        // What is refused is decided on all that the log has, like what is not.
        if (committed.length > 0 || refused.length > 0) await this.#append(payloads)
      } catch (error) {
        this.#takeBack(committed.map(({ record }) => record))
        for (const { record } of committed)
          if (record.id !== undefined) this.#state.applied.remove(scopeOf(record.by), record.id)
        for (const { access, transaction } of refused) this.#verdicts.delete(access, transaction.id)
        if (!(error instanceof LogConflictError || error instanceof LogUncertainError) || attempt >= 10) throw error
        await this.#catchUp()
        continue
      }
      for (const { record, sequence } of committed) this.#state.noteRefused(record, sequence)
      this.#unlogged.keep(unlogged)
      this.#confirm(
        committed,
        outcomes.map(({ waiting, outcome, before }) => ({
          author: waiting.author,
          id: waiting.transaction.id,
          outcome,
          before,
        })),
      )
      for (const { waiting, outcome } of outcomes) waiting.settle(outcome)
      return
    }
  }

  /**
   * Appends what was decided on the state. Throws LogConflictError where the log has gone on without it, LogPartedError
   * where it has another history, and what the log throws.
   */
  async #append(payloads: readonly string[]): Promise<void> {
    const { log } = this.#options
    const { point } = this.#state
    // The number alone does not tell.
    if (await isApart(log, point)) throw new LogPartedError(`log of '${this.name}'`, point.sequence)
    const { last } = await log.bounds()
    if (last !== point.sequence) throw new LogConflictError(`log of '${this.name}'`, point.sequence, last)
    if (payloads.length > 0) await log.append(payloads, point.sequence)
  }

  #decide(batch: readonly Waiting[]): Draft {
    const committed: Committed[] = []
    const payloads: string[] = []
    const refused: Waiting[] = []
    const unlogged = this.#unlogged.stage()
    const commit = (
      { author, access }: Waiting,
      record: Omit<LogRecord, 'parent' | 'at' | keyof Author | 'refused'>,
      { transitions = [], sent }: { readonly transitions?: readonly RowTransition[]; readonly sent?: WireTransaction },
    ): number => {
      const before = committed.at(-1) ?? this.#state.point
      const refusals = author ? unlogged.take(author) : []
      const entry: LogRecord = {
        ...record,
        parent: before.digest,
        at: this.#options.now(),
        ...authorOf(access.user),
        ...(refusals.length > 0 && { refused: refusals }),
      }
      const payload = formatRecord(entry)
      payloads.push(payload)
      const sequence = before.sequence + 1
      committed.push({ sequence, digest: digestOf(payload), record: entry, transitions, author: sent && author, sent })
      return sequence
    }
    const refuse = (waiting: Waiting, refusal: Refusal): Outcome => {
      const { author, transaction } = waiting
      const { code, reason } = refusal
      if (author && unlogged.add(author, { id: transaction.id, code, reason: reason.slice(0, MAX_REASON) }))
        commit(waiting, { kind: 'refused', changes: [] }, {})
      return { kind: 'refused', code, reason }
    }
    const judge = (waiting: Waiting): Outcome => {
      const { transaction, access } = waiting
      const { id, label } = transaction
      const scope = scopeOf(access.user?.id)
      const known = this.#state.applied.find(scope, id)
      if (known !== undefined) return { kind: 'known', sequence: known }
      const logged = this.#state.refused.find(scope, id)
      if (logged) return { kind: 'refused', ...logged }
      const remembered = this.#verdicts.get(access, id)
      if (remembered) return refuse(waiting, remembered)
      try {
        const missing = transaction.requires?.some((one) => this.#state.applied.find(scope, one) === undefined)
        if (missing) throw new ConflictError('it rests on a transaction that was refused')
        if (transaction.reads) assertReads(this.store, transaction.reads)
        if (transaction.reads) this.#recent.assertUnchanged(transaction.reads, waiting.base, access, committed)
        // It asks only whether what it has read is still so.
        if (transaction.changes.length === 0) return { kind: 'known', sequence: this.#state.sequence }
        const { changes, transitions } = decide(this.store, access, transaction)
        const record = { kind: 'transaction' as const, id, ...(label !== undefined && { label }), changes }
        const sequence = commit(waiting, record, { transitions, sent: transaction })
        this.#state.applied.add(scope, id, sequence)
        return { kind: 'committed', sequence }
      } catch (error) {
        const refusal = this.#refusal(error, access)
        this.#verdicts.set(access, id, refusal)
        refused.push(waiting)
        return refuse(waiting, refusal)
      }
    }
    const outcomes = batch.map((waiting) => ({ waiting, before: committed.length, outcome: judge(waiting) }))
    return { committed, payloads, outcomes, refused, unlogged }
  }

  #refusal(error: unknown, access: Access): Refusal {
    const told = toldOf(error, access)
    if (told) return told
    this.#options.report(error)
    return { code: 'internal', reason: 'the server failed on this transaction' }
  }

  /** Undoes, newest first, what was decided and not appended. */
  #takeBack(records: readonly Pick<LogRecord, 'changes'>[]): void {
    for (const { changes } of records.toReversed()) {
      const back = invert({ changes, origin: 'local' })
      if (!isEmpty(back)) internals(this.store).applyRemote(back)
    }
  }

  async #catchUp(): Promise<void> {
    const committed: Committed[] = []
    const state = this.#state
    try {
      await state.follow(this.name, this.#options.log, undefined, (record, point, transitions) => {
        committed.push({ ...point, record, transitions, author: undefined, sent: undefined })
      })
    } finally {
      // Where the log can't be read to its end, everyone is told of what the state has all the same.
      this.#confirm(committed, [])
    }
  }

  /** The log has them: the state is theirs, and everyone is told. */
  #confirm(committed: readonly Committed[], outcomes: Decided['outcomes']): void {
    const { sequence, digest } = committed.at(-1) ?? this.#state.point
    this.#state.point = { sequence, digest }
    this.#recent.push(committed)
    const from = performance.now()
    for (const listener of Array.from(this.#listeners))
      try {
        listener.decided({ committed, outcomes })
      } catch (error) {
        // It has missed something: it comes back for it. The others go on.
        this.#options.report(error)
        this.#drop(listener)
      }
    const endedAt = performance.now()
    this.#telling = { endedAt, tookMs: endedAt - from }
  }

  #drop(listener: Listener): void {
    try {
      listener.end('internal', 'the server failed', { retryAfterMs: 500 })
    } catch (error) {
      this.#options.report(error)
    }
  }

  /**
   * What those are told who waited for something that failed. Where the log has another history than the state, nothing
   * is confirmed on it any more, and everyone is sent away: what they come back to is opened anew.
   */
  #failed(error: unknown): unknown {
    if (!(error instanceof LogPartedError)) return error
    if (!this.#parted) {
      this.#parted = true
      this.#options.report(error)
      for (const listener of Array.from(this.#listeners)) this.#drop(listener)
      this.#options.parted?.()
    }
    return new StoreClosedError(`database '${this.name}'`)
  }

  async #housekeep(): Promise<void> {
    if (this.#state.sequence - this.#snapshotAt < this.#options.snapshotEvery) return
    try {
      await this.#snapshot()
    } catch (error) {
      // The log has everything; the next batch tries again.
      if (!(error instanceof LogPartedError)) this.#options.report(error)
      this.#failed(error)
    }
  }

  async #snapshot(label?: string): Promise<number> {
    const { point, sequence } = this.#state
    const { snapshots, log, now, historyEntries } = this.#options
    // It would take the place of one that is of the log's history.
    if (await isApart(log, point)) throw new LogPartedError(`log of '${this.name}'`, sequence)
    this.#state.forgetBefore(sequence - KNOWN_IDS)
    await snapshots.put(this.name, { ...point, label, at: now() }, this.#state.snapshot())
    this.#snapshotAt = sequence
    const { first } = await log.bounds()
    const keep = Math.max(sequence - historyEntries, first)
    await this.#thinOut(keep)
    // A state is a snapshot and the log since: the log begins after the snapshot that the oldest states rest on.
    const base = (await this.snapshots()).findLast((one) => one.sequence <= keep)?.sequence ?? 0
    if (keep > first && base + 1 > first) await log.trim(base + 1)
    return sequence
  }

  /** Snapshots without a label are there to be opened fast: none before the log, and none between two that are close. */
  async #thinOut(first: number): Promise<void> {
    const { snapshots, snapshotEvery } = this.#options
    const all = await this.snapshots()
    const base = all.findLast(({ sequence }) => sequence <= first)?.sequence ?? 0
    let kept = 0
    for (const [n, { sequence, label }] of all.entries()) {
      const next = all[n + 1]
      const isSpare =
        next !== undefined && (sequence < base || (sequence > base && next.sequence - kept <= snapshotEvery))
      if (label === undefined && isSpare) await snapshots.delete(this.name, sequence)
      else kept = sequence
    }
  }

  /** Entries of the log, parsed. Throws NotFoundError for what is trimmed away. */
  async *history(from: number, limit?: number): AsyncGenerator<{ sequence: number; record: LogRecord }> {
    for await (const { sequence, payload } of this.#options.log.read(from, limit))
      yield { sequence, record: parseRecord(payload, sequence) }
  }

  /** The entries of the log that are kept, by their first and last number. */
  bounds(): Promise<{ readonly first: number; readonly last: number }> {
    return this.#options.log.bounds()
  }

  /** What was put aside, oldest first, but for what is of another history than the log. */
  async snapshots(): Promise<readonly SnapshotInfo[]> {
    const { snapshots, log } = this.#options
    const own: SnapshotInfo[] = []
    for (const one of await snapshots.list(this.name)) if (!(await isApart(log, one))) own.push(one)
    return own
  }

  /** The file of the state at a sequence number. */
  async fileAt(at?: number): Promise<Uint8Array> {
    if (at === undefined) return this.run(() => this.#state.snapshot())
    // Beside what goes on: it reads what is kept, and nothing of the state.
    const { state } = await State.load(this.name, this.#options.schema, this.#options, at)
    try {
      if (state.sequence !== at)
        throw new NotFoundError(`database '${this.name}' has no state ${at}: it ends at ${state.sequence}`)
      return state.snapshot()
    } finally {
      await state.close()
    }
  }
}

/** Imports a file, and tells the rows before and after. */
function importTransitions(store: Store, bytes: Uint8Array): readonly RowTransition[] {
  const told: ChangeSet[] = []
  const subscription = store.changes$.subscribe((set) => told.push(set))
  try {
    store.import(bytes)
  } finally {
    subscription.unsubscribe()
  }
  return transitionsOf(
    internals(store).engine,
    told.flatMap(({ changes }) => changes),
  )
}

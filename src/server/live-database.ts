import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises'
import { inOneStep, invert, isEmpty, type ChangeSet, type RowChange, type Steps } from '../changes/index.ts'
import { NotFoundError, RowcastError, StoreClosedError } from '../errors/index.ts'
import type { Schema } from '../schema/index.ts'
import { commitInSteps, internals, transitionsOf, type RowTransition, type Store } from '../store/index.ts'
import type { ClosingCode, WireTransaction } from '../transport/index.ts'
import type { Access } from './access.ts'
import { scopeOf } from './applied-transactions.ts'
import { authorOf, type Author } from './author.ts'
import { isSmall, type Beside, type WorkOptions, type Works } from './beside/index.ts'
import { assertReads, decide } from './decide.ts'
import type { Committed, Decided, EndOptions, Listener, Outcome } from './decided.ts'
import { LogConflictError, LogMovedError, LogPartedError, LogUncertainError } from './log-errors.ts'
import { assertDepthOf } from './depth.ts'
import { FairQueue } from './fair-queue.ts'
import { digestOf } from './digest.ts'
import { digestAt, isApart, type Place, type Point } from './history.ts'
import { formatInSteps, formatRecord, parseRecord, partsOf, type LogRecord } from './log-record.ts'
import type { Limits } from './limits.ts'
import type { Log } from './log.ts'
import { Positions } from './position.ts'
import { Presence } from './presence.ts'
import { RecentChanges } from './recent-changes.ts'
import { ConflictError, MAX_REASON, type Refusal } from './refusals.ts'
import { Serial } from './serial.ts'
import { withoutServerTables } from './server-tables.ts'
import type { SnapshotInfo, SnapshotStorage } from './snapshot-storage.ts'
import { State, type Loaded } from './state.ts'
import { toldOf } from './told.ts'
import { inTurns, Turn } from './turns.ts'
import { existsError } from './exists-error.ts'
import { isMade, isMadeAnewAt, unmadeEnd } from './unmade.ts'
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

/** What a new database begins with. */
export interface FirstState {
  /** Made by the work `create` or `fork`. */
  readonly bytes: Uint8Array
  /** The one that the bytes say. */
  readonly incarnation: string
  /** Where it came from. */
  readonly origin?: LogRecord['from']
  readonly author?: Author
}

/** What someone says of a change of the whole state; the rest of its entry is where it is in the log. */
type Described = Omit<LogRecord, 'parent' | 'at' | 'parts' | 'changes'>

/** Of someone who waits for something long. */
type Waited = Pick<WorkOptions, 'signal' | 'progress'>

export interface LiveDatabaseOptions {
  readonly schema: Schema
  readonly log: Log
  readonly snapshots: SnapshotStorage
  /** Where that is done which takes as long as a database is large. */
  readonly beside: Beside
  readonly secret: string
  readonly now: () => number
  /** A snapshot is made after so many entries. */
  readonly snapshotEvery: number
  /** So many entries before the newest snapshot stay in the log. */
  readonly historyEntries: number
  readonly limits: Pick<Limits, 'databasePresenceBytes' | 'recentBytes' | 'verdictBytes' | 'historyBytes'>
  readonly report: (error: unknown) => void
  /** Its state is of another history than the log by now, or another server's: it is of no use, and is to be opened anew. */
  readonly givenUp?: () => void
}

/** One entry of the log. */
export interface HistoryEntry {
  readonly sequence: number
  readonly record: LogRecord
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
/** Changes of them: deciding is one slice, which ends with the first transaction that brings more. */
const MAX_CHANGES = 1_000
/** Connections where telling all takes its time. */
const MANY_LISTENERS = 100
/** Transactions that wait where many are writing. */
const MANY_WAITING = 8
/** Telling that takes longer than this, or ended less long ago, keeps the server busy. */
const BUSY_MS = 4
const LONGEST_GATHER_MS = 25
/** How long the text of the whole database is kept for others who come. */
const KEEP_WHOLE_MS = 5_000
/** A snapshot is made after this part of the bytes of a history: where they are reached, so much of it goes at once. */
const SNAPSHOT_SHARE = 1 / 8
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
  /**
   * What reads or changes the snapshots and the end of the log that is trimmed happens one after the other, beside the
   * transactions. Whoever needs both turns takes this one first.
   */
  readonly #kept = new Serial()
  /** Gives up what is done beside. */
  readonly #closing = new AbortController()
  readonly #listeners = new Set<Listener>()
  readonly #verdicts: Verdicts
  readonly #unlogged = new UnloggedRefusals()
  /** The numbers of snapshots of another history, and of those that are damaged. */
  readonly #unusable = new Set<number>()
  #recent: RecentChanges
  readonly #waiting = new FairQueue<Waiting>()
  #pumping = false
  /** When everyone was told last, and how long it took. */
  #telling = { endedAt: 0, tookMs: 0 }
  #state: State
  #snapshotAt: number
  /** The bytes of the log from a snapshot up to an entry. */
  #grown = { since: 0, upTo: 0, bytes: 0 }
  #whole: { readonly sequence: number; readonly texts: readonly string[] } | undefined
  #forgetWhole: NodeJS.Timeout | undefined
  #closed = false
  #isGivenUp = false

  private constructor(name: string, state: State, snapshotAt: number, options: LiveDatabaseOptions) {
    this.name = name
    this.#options = options
    this.#state = state
    this.#snapshotAt = snapshotAt
    const { databasePresenceBytes, recentBytes, verdictBytes } = options.limits
    this.presence = new Presence(
      databasePresenceBytes,
      (work) => this.run(work),
      (error) => {
        if (!(error instanceof StoreClosedError)) options.report(error)
      },
    )
    this.#verdicts = new Verdicts(verdictBytes)
    this.#recent = new RecentChanges(state.point, recentBytes)
    this.positions = new Positions(options.secret, name, state.applied.fact('incarnation')!)
  }

  /**
   * Makes a database: an entry in the log, the first or behind those of others who began and never ended, and a snapshot,
   * which is what makes it be there. Returns the entry's number. Throws RowcastError (`exists`) where there is one already,
   * or another server makes one at the same time: no two succeed.
   */
  static async create(name: string, options: Omit<LiveDatabaseOptions, 'beside'>, from?: FirstState): Promise<number> {
    const { schema, log, snapshots, now } = options
    const end = await unmadeEnd(name, options)
    if (!end) throw existsError(name)
    const { bytes, incarnation, origin, author } = from ?? (await emptyState(schema))
    const isFirst = end.sequence === 0
    const record: LogRecord = {
      kind: 'created',
      parent: isFirst ? incarnation : end.digest,
      at: now(),
      changes: [],
      ...(origin && { from: origin }),
      ...author,
    }
    const payload = formatRecord(record)
    const sequence = end.sequence + 1
    try {
      await log.append([payload], end.sequence, isFirst ? undefined : end.digest)
    } catch (error) {
      throw error instanceof LogConflictError ? existsError(name) : error
    }
    // Whoever began before has ended meanwhile, or sees after that that this one has begun.
    if (await isMade(name, options)) throw existsError(name)
    await snapshots.put(name, { sequence, digest: digestOf(payload), at: record.at }, bytes)
    if (await isMadeAnewAt(log, sequence + 1)) throw existsError(name)
    return sequence
  }

  /**
   * Opens what is there: the newest snapshot of the log's history and the log since. A migrated state becomes a snapshot at
   * once. Throws what State.load throws.
   */
  static async open(name: string, options: LiveDatabaseOptions): Promise<LiveDatabase> {
    const { state, file, snapshot, apart, damaged } = await loadNewest(name, options)
    for (const { message } of damaged) options.report(new RowcastError('snapshot-damaged', message))
    const newer = apart.filter((sequence) => sequence > snapshot.sequence)
    if (newer.length > 0)
      options.report(
        new RowcastError(
          'log',
          `database '${name}' goes on from its snapshot ${snapshot.sequence} and its log; the snapshots ${newer.join(', ')} are of another history and left out: to have that one, restore log and snapshots from one backup`,
        ),
      )
    if (file) {
      // One of the same state has another schema: it keeps its label.
      const label = snapshot.sequence === state.sequence ? snapshot.label : undefined
      await options.snapshots.put(name, { ...state.point, label, at: options.now() }, file)
    }
    const database = new LiveDatabase(name, state, file ? state.sequence : snapshot.sequence, options)
    for (const sequence of [...apart, ...damaged.map((one) => one.sequence)])
      if (!file || sequence !== state.sequence) database.#unusable.add(sequence)
    return database
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

  /** About how large the state is, in bytes. */
  get size(): number {
    return this.#state.size
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

  /** A state that is asked for by its sequence number; the newest if none is given. Between transactions. */
  async placeAt(sequence: number | undefined): Promise<Place> {
    return sequence === undefined ? this.point : ((await this.pointAt(sequence)) ?? { sequence })
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
      this.#assertOpen()
      try {
        // Another server may have had it in between.
        if ((await this.#lastProven()) > this.#state.sequence) await this.#catchUp()
        return await task()
      } catch (error) {
        throw this.#failed(error)
      }
    })
  }

  /** From now on told of what is decided. Throws StoreClosedError where nothing is any more. */
  listen(listener: Listener): () => void {
    this.#assertOpen()
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
      const waiting = { transaction, access, author, base, settle, fail }
      this.#waiting.push(ownerOf(waiting), 1 + transaction.changes.length, waiting)
      this.#pump()
    })
  }

  /**
   * Makes the state that of a file, or an earlier one, as one transaction that everyone sees (an import, a rollback).
   * Where it changes much, everyone connected is asked to come back for it. Throws what `store.import` throws, and
   * NotFoundError for a state that there isn't; then nothing has changed.
   */
  replace(to: Uint8Array | number, record: Described, waited: Waited = {}): Promise<number> {
    return this.#kept.run(() =>
      this.run(async () => {
        const { beside } = this.#options
        const states = [this.sequence, ...(typeof to === 'number' ? [to] : [])]
        const near = await Promise.all(states.map((at) => beside.isNear(this.name, this.#options, at)))
        const isLittle =
          near.every(Boolean) && isSmall(this.#state.size) && (typeof to === 'number' || isSmall(to.length))
        if (!isLittle) return this.#replaceBeside(to, record, waited)
        const bytes = typeof to === 'number' ? await this.#fileAt(to) : await withoutServerTables(to)
        return this.#commit(
          record,
          inOneStep(() => importTransitions(this.store, bytes)),
        )
      }),
    )
  }

  /** Makes changes of the state known as one transaction. Throws what they throw; then nothing has changed. */
  async #commit(record: Described, change: Steps<readonly RowTransition[]>): Promise<number> {
    const before = this.#state.point
    const turn = new Turn()
    const transitions = await inTurns(change, turn)
    const changes = transitions.map((transition) => transition.change)
    if (changes.length === 0) return before.sequence
    const entry: LogRecord = { ...record, parent: before.digest, at: this.#options.now(), changes }
    const payload = await inTurns(formatInSteps(entry), turn)
    try {
      assertDepthOf(changes)
      await this.#append([payload])
    } catch (error) {
      this.#takeBack([{ changes }])
      if (error instanceof LogConflictError || error instanceof LogUncertainError) await this.#catchUp()
      throw error
    }
    const point = { sequence: before.sequence + 1, digest: digestOf(payload) }
    await this.#confirm([{ ...point, record: entry, transitions, author: undefined, sent: undefined }], [])
    return point.sequence
  }

  /**
   * The difference is found beside. A small one is committed as any transaction is. A large one goes into the log in
   * parts, one of a slice each, which count once the entry of the whole stands behind them; and the state that comes of
   * it, made beside as well, takes the place of the one there was.
   */
  async #replaceBeside(to: Uint8Array | number, record: Described, { signal, progress }: Waited): Promise<number> {
    const { beside, log, now, schema, snapshots } = this.#options
    const before = this.#state.point
    const scratch = beside.files.path()
    let point = before
    const entryOf = (entry: Omit<LogRecord, 'parent'>): { readonly payload: string; readonly next: Point } => {
      const payload = formatRecord({ ...entry, parent: point.digest })
      return { payload, next: { sequence: point.sequence + 1, digest: digestOf(payload) } }
    }
    let appending = Promise.resolve()
    const append = async (changes: readonly RowChange[]): Promise<void> => {
      const { payload, next } = entryOf({ kind: 'part', at: now(), changes })
      await log.append([payload], point.sequence)
      point = next
      await immediate()
    }
    try {
      const replaced = await beside.run(
        { kind: 'replace', database: this.name, scratch, from: before, to },
        this.#options,
        {
          thread: true,
          progress,
          signal: anyOf(signal, this.#closing.signal),
          take: (slice) => (appending = append(slice)),
        },
      )
      const { changes } = replaced
      if (changes) return await this.#commit(record, transitionsInSteps(this.store, changes))
      const at = now()
      const { payload, next } = entryOf({ ...record, at, parts: point.sequence - before.sequence, changes: [] })
      await this.#append([payload], point)
      point = next
      await this.#become(await State.at(scratch, schema, point))
      try {
        await snapshots.put(this.name, { ...point, at }, replaced.bytes)
        this.#snapshotAt = point.sequence
      } catch (error) {
        // The log has everything.
        this.#options.report(error)
      }
      return point.sequence
    } catch (error) {
      // `error` is this one, or what came before it.
      await appending.catch(() => undefined)
      // Parts without their whole are passed over; a whole of which nobody knew is there.
      if (this.#state.sequence < (await log.bounds()).last) await this.#catchUp()
      throw error
    } finally {
      if (this.#state.file !== scratch) await beside.files.remove(scratch)
    }
  }

  /** Puts another state in the place of the one there was. Whoever saw that comes back for it. */
  async #become(state: State): Promise<void> {
    const old = this.#state
    this.#state = state
    this.#recent = new RecentChanges(state.point, this.#options.limits.recentBytes)
    this.#whole = undefined
    for (const listener of Array.from(this.#listeners))
      listener.end('too-slow', 'too much has changed at once: connect again for it', { retryAfterMs: 0 })
    // Their rules look at the state that goes.
    for (const { fail } of this.#waiting.clear()) fail(this.#replacedError())
    await old.close()
  }

  /** What those are told whose rules look at a state that has gone. */
  #replacedError(): StoreClosedError {
    return new StoreClosedError(`the earlier state of '${this.name}'`)
  }

  /** Takes in what other servers have appended. */
  follow(): Promise<void> {
    return this.run(() => this.#catchUp())
  }

  /**
   * Puts a snapshot aside. One that is there already with the same label, or with one where none is asked for, stays.
   * Throws RowcastError (`exists`) where it has another label.
   */
  async snapshot(
    label?: string,
    options: Waited = {},
  ): Promise<{ readonly sequence: number; readonly label?: string; readonly made: boolean }> {
    const point = await this.run(() => this.#state.point)
    const { sequence } = point
    return this.#besideAll(async () => {
      const there = (await this.snapshots()).find((one) => one.sequence === sequence)
      if (there?.label !== undefined) {
        if (label === undefined || label === there.label) return { sequence, label: there.label, made: false }
        throw new RowcastError(
          'exists',
          `nothing has changed since the snapshot '${there.label}' of ${sequence}: use that label`,
        )
      }
      await this.#snapshot(point, { label, ...options, signal: anyOf(options.signal, this.#closing.signal) })
      return { sequence, ...(label !== undefined && { label }), made: true }
    })
  }

  /**
   * Makes the file of a state, without what the server keeps in it. It is the caller's to remove. Throws NotFoundError for
   * a state that there isn't.
   */
  export(at: Place, { signal, progress }: Waited = {}): Promise<Works['export']['result'] & { readonly path: string }> {
    const { beside } = this.#options
    return this.#besideAll(async () => {
      const path = beside.files.path()
      try {
        const work = { kind: 'export', database: this.name, scratch: path, at } as const
        const made = await beside.run(work, this.#options, {
          at: at.sequence,
          progress,
          signal: anyOf(signal, this.#closing.signal),
        })
        return { ...made, path }
      } catch (error) {
        await beside.files.remove(path)
        throw error
      }
    })
  }

  /**
   * The first state of another database, from a state of this one. What the server keeps in it stays behind: the
   * transactions of another database are not known in this one. Throws NotFoundError for a state that there isn't.
   */
  async fork(
    at: number | undefined,
    { signal, progress }: Waited = {},
  ): Promise<FirstState & Required<Pick<FirstState, 'origin'>>> {
    const { beside } = this.#options
    const place = await this.run(() => this.placeAt(at))
    return this.#besideAll(async () => {
      const scratch = beside.files.path()
      const incarnation = randomUUID()
      try {
        const work = { kind: 'fork', database: this.name, scratch, at: place, incarnation } as const
        const { bytes } = await beside.run(work, this.#options, {
          at: place.sequence,
          progress,
          signal: anyOf(signal, this.#closing.signal),
        })
        return { bytes, incarnation, origin: { database: this.name, sequence: place.sequence } }
      } finally {
        await beside.files.remove(scratch)
      }
    })
  }

  /** Runs something that only looks at what is kept, while transactions go on. */
  #besideAll<Result>(task: () => Promise<Result>): Promise<Result> {
    return this.#kept.run(async () => {
      this.#assertOpen()
      try {
        return await task()
      } catch (error) {
        // A log may also be damaged somewhere before the state.
        const isParted = error instanceof LogPartedError && (await isApart(this.#options.log, this.point))
        throw isParted || error instanceof LogMovedError ? this.#failed(error) : error
      }
    })
  }

  #assertOpen(): void {
    if (this.#closed || this.#isGivenUp) throw new StoreClosedError(`database '${this.name}'`)
  }

  /** Tells everyone that the database goes. */
  dismiss(code: ClosingCode, reason: string, options?: EndOptions): void {
    for (const listener of Array.from(this.#listeners)) listener.end(code, reason, options)
  }

  /** Another server has it by now: nothing is confirmed on it any more, and everyone is sent there. */
  giveUp(redirect: string | undefined): void {
    if (this.#isGivenUp) return
    this.#isGivenUp = true
    this.dismiss('shutting-down', `another server has '${this.name}' by now`, { retryAfterMs: 0, redirect })
    this.#options.givenUp?.()
  }

  /** Finishes what has begun, keeps a snapshot, and closes. */
  close(): Promise<void> {
    this.#closing.abort(new StoreClosedError(`database '${this.name}'`))
    return this.#kept.run(() => this.#serial.run(() => this.#close()))
  }

  async #close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.presence.close()
    clearTimeout(this.#forgetWhole)
    for (const { fail } of this.#waiting.clear()) fail(new StoreClosedError(`database '${this.name}'`))
    try {
      if (!this.#isGivenUp && this.#state.sequence > this.#snapshotAt) await this.#snapshot(this.#state.point)
    } catch (error) {
      // The server that has it by now keeps its own.
      if (!(error instanceof LogMovedError)) throw error
    } finally {
      await this.#state.close()
      await this.#options.log.close()
    }
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
        const batch = this.#waiting.take(MAX_BATCH, MAX_CHANGES)
        if (this.#waiting.length > 0) this.#pump()
        if (batch.length === 0) return
        try {
          if (this.#isGivenUp) throw new StoreClosedError(`database '${this.name}'`)
          await this.#process(batch)
        } catch (error) {
          const failure = this.#failed(error)
          for (const { fail } of batch) fail(failure)
          return
        }
        await this.#housekeep()
      })
      .catch((error: unknown) => {
        const failure = this.#failed(error)
        if (!(failure instanceof StoreClosedError)) this.#options.report(failure)
      })
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
      const { committed, payloads, outcomes, refused, unlogged } = await this.#decide(batch)
      try {
        // What is refused is decided on all that the log has, like what is not.
        if (committed.length > 0 || refused.length > 0) await this.#append(payloads)
        else await this.#assertNewest()
      } catch (error) {
        this.#takeBack(committed.map(({ record }) => record))
        for (const { record } of committed)
          if (record.id !== undefined) this.#state.applied.remove(scopeOf(record.by), record.id)
        for (const { access, transaction } of refused) this.#verdicts.delete(access, transaction.id)
        if (!(error instanceof LogConflictError || error instanceof LogUncertainError) || attempt >= 10) throw error
        const state = this.#state
        await this.#catchUp()
        if (this.#state !== state) throw this.#replacedError()
        continue
      }
      for (const { record, sequence } of committed) this.#state.noteRefused(record, sequence)
      this.#unlogged.keep(unlogged)
      await this.#confirm(
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
   * Appends what was decided on the state, or after a point that goes on from it. Throws LogConflictError where the log has
   * gone on without it, LogPartedError where it has another history, and what the log throws.
   */
  #append(payloads: readonly string[], { sequence, digest }: Point = this.#state.point): Promise<void> {
    return this.#options.log.append(payloads, sequence, digest)
  }

  /** Of the log, where another server may append to it as well. */
  async #lastProven(): Promise<number> {
    return (await this.#options.log.prove?.()) ?? this.#state.sequence
  }

  /** Throws as an append of nothing would. */
  async #assertNewest(): Promise<void> {
    const last = await this.#lastProven()
    const { sequence } = this.#state
    if (last !== sequence) throw new LogConflictError(`log of '${this.name}'`, sequence, last)
  }

  async #decide(batch: readonly Waiting[]): Promise<Draft> {
    // Nobody else in this database goes on before it is over.
    const turn = new Turn('urgent')
    const committed: Committed[] = []
    const payloads: string[] = []
    const refused: Waiting[] = []
    const unlogged = this.#unlogged.stage()
    const commit = async (
      { author, access }: Waiting,
      record: Omit<LogRecord, 'parent' | 'at' | keyof Author | 'refused'>,
      { transitions = [], sent }: { readonly transitions?: readonly RowTransition[]; readonly sent?: WireTransaction },
    ): Promise<number> => {
      const before = committed.at(-1) ?? this.#state.point
      const refusals = author ? unlogged.take(author) : []
      const entry: LogRecord = {
        ...record,
        parent: before.digest,
        at: this.#options.now(),
        ...authorOf(access.user),
        ...(refusals.length > 0 && { refused: refusals }),
      }
      const payload = await inTurns(formatInSteps(entry), turn)
      payloads.push(payload)
      const sequence = before.sequence + 1
      committed.push({ sequence, digest: digestOf(payload), record: entry, transitions, author: sent && author, sent })
      return sequence
    }
    const refuse = async (waiting: Waiting, refusal: Refusal): Promise<Outcome> => {
      const { author, transaction } = waiting
      const { code, reason } = refusal
      if (author && unlogged.add(author, { id: transaction.id, code, reason: reason.slice(0, MAX_REASON) }))
        await commit(waiting, { kind: 'refused', changes: [] }, {})
      return { kind: 'refused', code, reason }
    }
    const judge = async (waiting: Waiting): Promise<Outcome> => {
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
        const { changes, transitions } = await inTurns(decide(this.store, access, transaction), turn)
        const record = { kind: 'transaction' as const, id, ...(label !== undefined && { label }), changes }
        const sequence = await commit(waiting, record, { transitions, sent: transaction })
        this.#state.applied.add(scope, id, sequence)
        return { kind: 'committed', sequence }
      } catch (error) {
        const refusal = this.#refusal(error, access)
        this.#verdicts.set(access, id, refusal)
        refused.push(waiting)
        return refuse(waiting, refusal)
      }
    }
    const outcomes: Draft['outcomes'][number][] = []
    for (const waiting of batch) {
      const from = turn.worked
      const before = committed.length
      outcomes.push({ waiting, before, outcome: await judge(waiting) })
      this.#waiting.spent(ownerOf(waiting), turn.worked - from)
    }
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
    let isReplaced = false
    try {
      await this.#state.follow(this.name, this.#options.log, {
        stopsBefore: ({ parts }) => (isReplaced ||= parts !== undefined),
        applied: (record, point, transitions) => {
          committed.push({ ...point, record, transitions, author: undefined, sent: undefined })
        },
      })
    } finally {
      // Where the log can't be read to its end, everyone is told of what the state has all the same.
      await this.#confirm(committed, [])
    }
    if (isReplaced) await this.#become((await loadNewest(this.name, this.#options)).state)
  }

  /** The log has them: everyone is told, and then the state is theirs. */
  async #confirm(committed: readonly Committed[], outcomes: Decided['outcomes']): Promise<void> {
    this.#recent.push(committed)
    const turn = new Turn('urgent')
    const from = performance.now()
    for (const listener of Array.from(this.#listeners)) {
      // It may have gone meanwhile.
      if (!this.#listeners.has(listener)) continue
      try {
        listener.decided({ committed, outcomes })
      } catch (error) {
        // It has missed something: it comes back for it. The others go on.
        this.#options.report(error)
        this.#drop(listener)
      }
      if (turn.over) await turn.pause()
    }
    const { sequence, digest } = committed.at(-1) ?? this.#state.point
    this.#state.point = { sequence, digest }
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
    if (error instanceof LogMovedError) this.giveUp(error.url)
    else if (!(error instanceof LogPartedError)) return error
    else if (!this.#isGivenUp) {
      this.#isGivenUp = true
      this.#options.report(error)
      for (const listener of Array.from(this.#listeners)) this.#drop(listener)
      this.#options.givenUp?.()
    }
    return new StoreClosedError(`database '${this.name}'`)
  }

  /** Keeps a snapshot now and then; a large one while transactions go on. */
  async #housekeep(): Promise<void> {
    const { point } = this.#state
    if (!this.#kept.idle || !(await this.#isSnapshotDue())) return
    const kept = this.#besideAll(() => this.#snapshot(point, { signal: this.#closing.signal })).catch(
      (error: unknown) => {
        // The log has everything; a later batch tries again. One that closes keeps a snapshot itself.
        if (!this.#closing.signal.aborted && !this.#isGivenUp) this.#options.report(error)
      },
    )
    if (await this.#options.beside.isNear(this.name, this.#options, point.sequence)) await kept
  }

  async #isSnapshotDue(): Promise<boolean> {
    const { log, snapshotEvery } = this.#options
    const since = this.#snapshotAt
    const upTo = this.#state.sequence
    if (upTo - since >= snapshotEvery) return true
    const known = this.#grown.since === since ? this.#grown : { upTo: since, bytes: 0 }
    // Only what has come since it was asked last.
    const bytes = known.bytes + (await log.bytes(known.upTo + 1, upTo))
    this.#grown = { since, upTo, bytes }
    return bytes > this.#snapshotBytes
  }

  get #snapshotBytes(): number {
    return this.#options.limits.historyBytes * SNAPSHOT_SHARE
  }

  async #snapshot(
    point: Point,
    { label, ...waited }: Waited & { readonly label?: string | undefined } = {},
  ): Promise<void> {
    const { beside, snapshots, log, now, historyEntries } = this.#options
    const { sequence } = point
    // It would take the place of one that is of the log's history.
    if (await isApart(log, point)) throw new LogPartedError(`log of '${this.name}'`, sequence)
    const knownFrom = sequence - KNOWN_IDS
    this.#state.forgetBefore(knownFrom)
    const scratch = beside.files.path()
    try {
      const work = { kind: 'snapshot', database: this.name, scratch, at: point, knownFrom } as const
      const { bytes } = await beside.run(work, this.#options, { ...waited, at: sequence })
      await snapshots.put(this.name, { ...point, label, at: now() }, bytes)
    } finally {
      await beside.files.remove(scratch)
    }
    this.#unusable.delete(sequence)
    this.#snapshotAt = Math.max(this.#snapshotAt, sequence)
    const { first } = await log.bounds()
    const keep = Math.max(sequence - historyEntries, first)
    // A state is a snapshot and the log since: the log begins after the snapshot that the oldest states rest on.
    const byEntries = (await this.snapshots()).findLast((one) => one.sequence <= keep)?.sequence ?? 0
    const byBytes = await this.#firstWithinBytes(sequence)
    const base = Math.max(byEntries, byBytes)
    await this.#thinOut(base)
    if ((keep > first || byBytes > 0) && base + 1 > first && !(await this.#isPart(base))) await log.trim(base + 1)
  }

  /** The oldest snapshot from which the log up to the newest takes no more than it may; 0 where all of it does. */
  async #firstWithinBytes(newest: number): Promise<number> {
    const { log, limits } = this.#options
    const older = (await this.snapshots()).filter(({ sequence }) => sequence < newest).toReversed()
    let first = newest
    let bytes = 0
    for (const { sequence } of [...older, { sequence: 0 }]) {
      bytes += await log.bytes(sequence + 1, first)
      if (bytes > limits.historyBytes) return first
      first = sequence
    }
    return 0
  }

  /** Whether an entry is a part: then the one that stands for it, further on, needs it and those before it. */
  async #isPart(sequence: number): Promise<boolean> {
    for await (const { payload } of this.#options.log.read(sequence, 1))
      return parseRecord(payload, sequence).kind === 'part'
    return false
  }

  /**
   * Snapshots without a label are there to be opened fast: none before the one that the log begins after, and none between
   * two that are close.
   */
  async #thinOut(base: number): Promise<void> {
    const { log, snapshots, snapshotEvery } = this.#options
    const areClose = async (one: number, other: number): Promise<boolean> =>
      other - one <= snapshotEvery && (await log.bytes(one + 1, other)) <= this.#snapshotBytes
    const all = await this.snapshots()
    let kept = 0
    for (const [n, { sequence, label }] of all.entries()) {
      const next = all[n + 1]
      const isSpare =
        label === undefined &&
        next !== undefined &&
        (sequence < base || (sequence > base && (await areClose(kept, next.sequence))))
      if (isSpare) await snapshots.delete(this.name, sequence)
      else kept = sequence
    }
  }

  /**
   * Entries of the log, parsed, without parts. The changes of one that stands for parts are given by `changesOf`. Throws
   * NotFoundError for what is trimmed away.
   */
  async *history(from: number, limit: number = Number.POSITIVE_INFINITY): AsyncGenerator<HistoryEntry> {
    let left = limit
    for await (const { sequence, payload } of this.#options.log.read(from)) {
      const record = parseRecord(payload, sequence)
      if (record.kind === 'part') continue
      yield { sequence, record }
      if (--left <= 0) return
    }
  }

  /** The changes of an entry, in slices where they are many. */
  async *changesOf({ sequence, record }: HistoryEntry): AsyncGenerator<readonly RowChange[]> {
    if (record.parts === undefined) yield record.changes
    else yield* partsOf(this.#options.log, record, sequence)
  }

  /** The entries of the log that are kept, by their first and last number. */
  bounds(): Promise<{ readonly first: number; readonly last: number }> {
    return this.#options.log.bounds()
  }

  /** What was put aside, oldest first, but for what is of another history than the log, or damaged. */
  async snapshots(): Promise<readonly SnapshotInfo[]> {
    const all = await this.#options.snapshots.list(this.name)
    return all.filter(({ sequence }) => !this.#unusable.has(sequence))
  }

  async #fileAt(at: number): Promise<Uint8Array> {
    const { state } = await State.load(this.name, this.#options.schema, this.#options, { at })
    try {
      if (state.sequence !== at)
        throw new NotFoundError(`database '${this.name}' has no state ${at}: it ends at ${state.sequence}`)
      return state.snapshot()
    } finally {
      await state.close()
    }
  }
}

/**
 * The newest state, with its file where it was migrated. A large one is put into a file beside, and opened there. Throws
 * what State.load throws.
 */
async function loadNewest(
  name: string,
  options: LiveDatabaseOptions,
): Promise<Omit<Loaded, 'migrated'> & { readonly file: Uint8Array | undefined }> {
  const { beside, log, schema } = options
  const { last } = await log.bounds()
  if (await beside.isNear(name, options, last)) {
    const { migrated, ...loaded } = await State.load(name, schema, options)
    return { ...loaded, file: migrated ? loaded.state.snapshot() : undefined }
  }
  const scratch = beside.files.path()
  try {
    const work = { kind: 'open', database: name, scratch } as const
    const { point, migrated, ...loaded } = await beside.run(work, options, { at: last })
    const file = migrated ? await readFile(scratch) : undefined
    return { ...loaded, state: await State.at(scratch, schema, point), file }
  } catch (error) {
    await beside.files.remove(scratch)
    throw error
  }
}

async function emptyState(schema: Schema): Promise<FirstState> {
  const state = await State.create(schema)
  const incarnation = randomUUID()
  try {
    state.applied.setFact('incarnation', incarnation)
    return { bytes: state.snapshot(), incarnation }
  } finally {
    await state.close()
  }
}

function ownerOf({ access, author }: Waiting): unknown {
  return access.user?.id ?? author
}

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined))
}

/** Makes changes, and tells the rows before and after. */
function* transitionsInSteps(store: Store, changes: readonly RowChange[]): Steps<readonly RowTransition[]> {
  const { transitions } = yield* commitInSteps(internals(store).engine, changes)
  return transitions
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

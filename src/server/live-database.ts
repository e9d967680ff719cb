import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises'
import { invert, isEmpty, type ChangeSet, type RowChange } from '../changes/index.ts'
import { NotFoundError, RowcastError, StoreClosedError } from '../errors/index.ts'
import type { Schema } from '../schema/index.ts'
import { commitChanges, internals, transitionsOf, type RowTransition, type Store } from '../store/index.ts'
import type { ClosingCode, WireTransaction } from '../transport/index.ts'
import type { Access } from './access.ts'
import { isSmall, type Beside, type WorkOptions, type Works } from './beside/index.ts'
import { decide } from './decide.ts'
import type { Committed, Decided, Listener, Outcome } from './decided.ts'
import { LogConflictError, LogUncertainError } from './log-errors.ts'
import { assertDepthOf } from './depth.ts'
import { formatRecord, parseRecord, type LogRecord } from './log-record.ts'
import type { Log } from './log.ts'
import { Positions } from './position.ts'
import { Presence } from './presence.ts'
import { RecentChanges } from './recent-changes.ts'
import { ConflictError, refusalOf, type Refusal } from './refusals.ts'
import { Serial } from './serial.ts'
import type { SnapshotInfo, SnapshotStorage } from './snapshot-storage.ts'
import { State } from './state.ts'
import { Verdicts } from './verdicts.ts'

interface Waiting {
  readonly transaction: WireTransaction
  readonly access: Access
  readonly author: Listener | undefined
  readonly by: string | undefined
  /** What its `base` position stands for. */
  readonly base: number | undefined
  readonly settle: (outcome: Outcome) => void
  readonly fail: (error: unknown) => void
}

/** What a new database begins with. */
export interface FirstState {
  /** Made by the work `create` or `fork`. */
  readonly bytes: Uint8Array
  /** Where it came from. */
  readonly origin?: LogRecord['from']
  readonly by?: string | undefined
}

export interface LiveDatabaseOptions {
  readonly schema: Schema
  readonly log: Log
  readonly snapshots: SnapshotStorage
  /** Where that is done which takes as long as the database is large. */
  readonly beside: Beside
  readonly secret: string
  readonly now: () => number
  /** A snapshot is made after so many entries. */
  readonly snapshotEvery: number
  /** So many entries before the newest snapshot stay in the log. */
  readonly historyEntries: number
  readonly report: (error: unknown) => void
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
  readonly presence: Presence = new Presence()
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
  readonly #verdicts = new Verdicts()
  #recent: RecentChanges
  #waiting: Waiting[] = []
  #pumping = false
  /** When everyone was told last, and how long it took. */
  #telling = { endedAt: 0, tookMs: 0 }
  #state: State
  #snapshotAt: number
  #whole: { readonly sequence: number; readonly texts: readonly string[] } | undefined
  #forgetWhole: NodeJS.Timeout | undefined
  #closed = false

  private constructor(name: string, state: State, snapshotAt: number, options: LiveDatabaseOptions) {
    this.name = name
    this.#options = options
    this.#state = state
    this.#snapshotAt = snapshotAt
    this.#recent = new RecentChanges(state.sequence)
    this.positions = new Positions(options.secret, name, state.applied.fact('incarnation')!)
  }

  /** Makes a database: its first entry in the log, and a snapshot, which is what makes it be there. */
  static async create(name: string, options: Omit<LiveDatabaseOptions, 'beside'>, from?: FirstState): Promise<void> {
    const { schema, log, snapshots, now } = options
    const record: LogRecord = {
      kind: 'created',
      at: now(),
      changes: [],
      ...(from?.origin && { from: from.origin }),
      ...(from?.by !== undefined && { by: from.by }),
    }
    const bytes = from?.bytes ?? (await emptyFile(schema))
    await log.append([formatRecord(record)], 0)
    await snapshots.put(name, { sequence: 1, at: record.at }, bytes)
  }

  /** Opens what is there: the newest snapshot and the log since. A migrated state becomes a snapshot at once. */
  static async open(name: string, options: LiveDatabaseOptions): Promise<LiveDatabase> {
    const { state, migrated } = await loadNewest(name, options)
    const { sequence } = state
    const last = (await options.snapshots.list(name)).at(-1)
    if (migrated) {
      // One of the same state has another schema: it keeps its label.
      const label = last?.sequence === sequence ? last.label : undefined
      await options.snapshots.put(name, { sequence, label, at: options.now() }, migrated)
    }
    return new LiveDatabase(name, state, migrated ? sequence : (last?.sequence ?? sequence), options)
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
    return this.#serial.run(() => {
      if (this.#closed) throw new StoreClosedError(`database '${this.name}'`)
      return task()
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
      readonly by?: string | undefined
      readonly base?: number | undefined
    },
  ): Promise<Outcome> {
    return new Promise((settle, fail) => {
      const { access, author, by, base } = context
      this.#waiting.push({ transaction, access, author, by, base, settle, fail })
      this.#pump()
    })
  }

  /**
   * Makes the state that of a file, or an earlier one, as one transaction that everyone sees (an import, a rollback).
   * Where it changes much, everyone connected is asked to come back for it. Throws what `store.import` throws, and
   * NotFoundError for a state that there isn't; then nothing has changed.
   */
  replace(
    to: Uint8Array | number,
    record: Omit<LogRecord, 'at' | 'changes'>,
    options: Pick<WorkOptions, 'signal' | 'progress'> = {},
  ): Promise<number> {
    return this.#kept.run(() =>
      this.run(async () => {
        const { beside } = this.#options
        const states = [this.sequence, ...(typeof to === 'number' ? [to] : [])]
        const near = await Promise.all(states.map((at) => beside.isNear(this.name, this.#options, at)))
        const isLittle =
          near.every(Boolean) && isSmall(this.#state.size) && (typeof to === 'number' || isSmall(to.length))
        if (!isLittle) return this.#replaceBeside(to, record, options)
        const bytes = typeof to === 'number' ? await this.#fileAt(to) : to
        return this.#commit(record, () => importTransitions(this.store, bytes))
      }),
    )
  }

  /** Makes changes of the state known as one transaction. Throws what they throw; then nothing has changed. */
  async #commit(record: Omit<LogRecord, 'at' | 'changes'>, change: () => readonly RowTransition[]): Promise<number> {
    const before = this.#state.sequence
    const transitions = change()
    const changes = transitions.map((transition) => transition.change)
    if (changes.length === 0) return before
    const entry: LogRecord = { ...record, at: this.#options.now(), changes }
    try {
      assertDepthOf(changes)
      await this.#options.log.append([formatRecord(entry)], before)
    } catch (error) {
      this.#takeBack([{ changes }])
      throw error
    }
    this.#confirm([{ sequence: before + 1, record: entry, transitions, author: undefined, sent: undefined }], [])
    return this.#state.sequence
  }

  /**
   * The difference is found beside. A small one is committed as any transaction is. A large one goes into the log in
   * parts, one of a slice each, which count once the entry of the whole stands behind them; and the state that comes of
   * it, made beside as well, takes the place of the one there was.
   */
  async #replaceBeside(
    to: Uint8Array | number,
    record: Omit<LogRecord, 'at' | 'changes'>,
    { signal, progress }: Pick<WorkOptions, 'signal' | 'progress'>,
  ): Promise<number> {
    const { beside, log, now, schema, snapshots } = this.#options
    const before = this.#state.sequence
    const scratch = beside.files.path()
    let sequence = before
    let appending = Promise.resolve()
    const append = async (changes: readonly RowChange[]): Promise<void> => {
      await log.append([formatRecord({ kind: 'part', at: now(), changes })], sequence)
      sequence++
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
      if (changes)
        return await this.#commit(record, () => {
          const { engine } = internals(this.store)
          return commitChanges(engine, changes, () => undefined).transitions
        })
      const at = now()
      await log.append([formatRecord({ ...record, at, parts: sequence - before, changes: [] })], sequence)
      sequence++
      await this.#become(await State.at(scratch, schema, sequence))
      try {
        await snapshots.put(this.name, { sequence, at }, replaced.bytes)
        this.#snapshotAt = sequence
      } catch (error) {
        // The log has everything.
        this.#options.report(error)
      }
      return sequence
    } catch (error) {
      await appending.catch(() => undefined)
      // Parts without their whole are passed over.
      if (sequence > before && this.#state.sequence < sequence) await this.#catchUp()
      throw error
    } finally {
      if (this.#state.file !== scratch) await beside.files.remove(scratch)
    }
  }

  /** Puts another state in the place of the one there was. Whoever saw that comes back for it. */
  async #become(state: State): Promise<void> {
    const old = this.#state
    this.#state = state
    this.#recent = new RecentChanges(state.sequence)
    this.#whole = undefined
    for (const listener of Array.from(this.#listeners))
      listener.end('too-slow', 'too much has changed at once: connect again for it', { retryAfterMs: 0 })
    // Their rules look at the state that goes.
    for (const { fail } of this.#waiting.splice(0)) fail(new StoreClosedError(`the earlier state of '${this.name}'`))
    await old.close()
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
    options: Pick<WorkOptions, 'signal' | 'progress'> = {},
  ): Promise<{ readonly sequence: number; readonly label?: string; readonly made: boolean }> {
    const sequence = await this.run(() => this.#state.sequence)
    return this.#besideAll(async () => {
      const there = (await this.#options.snapshots.list(this.name)).find((one) => one.sequence === sequence)
      if (there?.label !== undefined) {
        if (label === undefined || label === there.label) return { sequence, label: there.label, made: false }
        throw new RowcastError(
          'exists',
          `nothing has changed since the snapshot '${there.label}' of ${sequence}: use that label`,
        )
      }
      await this.#snapshot(sequence, { label, ...options, signal: anyOf(options.signal, this.#closing.signal) })
      return { sequence, ...(label !== undefined && { label }), made: true }
    })
  }

  /**
   * Makes the file of a state, without what the server keeps in it. It is the caller's to remove. Throws NotFoundError for
   * a state that there isn't.
   */
  export(
    at: number,
    { signal, progress }: Pick<WorkOptions, 'signal' | 'progress'> = {},
  ): Promise<Works['export']['result'] & { readonly path: string }> {
    const { beside } = this.#options
    return this.#besideAll(async () => {
      const path = beside.files.path()
      try {
        const work = { kind: 'export', database: this.name, scratch: path, at } as const
        const made = await beside.run(work, this.#options, {
          at,
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
    { signal, progress }: Pick<WorkOptions, 'signal' | 'progress'> = {},
  ): Promise<FirstState & { readonly origin: { readonly database: string; readonly sequence: number } }> {
    const { beside } = this.#options
    const sequence = await this.run(() => at ?? this.#state.sequence)
    return this.#besideAll(async () => {
      const scratch = beside.files.path()
      try {
        const work = { kind: 'fork', database: this.name, scratch, at: sequence, incarnation: randomUUID() } as const
        const { bytes } = await beside.run(work, this.#options, {
          at: sequence,
          progress,
          signal: anyOf(signal, this.#closing.signal),
        })
        return { bytes, origin: { database: this.name, sequence } }
      } finally {
        await beside.files.remove(scratch)
      }
    })
  }

  /** Runs something that only looks at what is kept, while transactions go on. */
  #besideAll<Result>(task: () => Promise<Result>): Promise<Result> {
    return this.#kept.run(() => {
      if (this.#closed) throw new StoreClosedError(`database '${this.name}'`)
      return task()
    })
  }

  /** Tells everyone that the database goes. */
  dismiss(code: ClosingCode, reason: string): void {
    for (const listener of Array.from(this.#listeners)) listener.end(code, reason)
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
    for (const { fail } of this.#waiting.splice(0)) fail(new StoreClosedError(`database '${this.name}'`))
    try {
      if (this.#state.sequence > this.#snapshotAt) await this.#snapshot(this.#state.sequence)
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
        const batch = this.#waiting.splice(0, MAX_BATCH)
        if (this.#waiting.length > 0) this.#pump()
        if (batch.length === 0) return
        try {
          await this.#process(batch)
        } catch (error) {
          for (const { fail } of batch) fail(error)
        }
        await this.#housekeep()
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
      const from = this.#state.sequence
      const { committed, outcomes } = this.#decide(batch)
      try {
        if (committed.length > 0)
          await this.#options.log.append(
            committed.map(({ record }) => formatRecord(record)),
            from,
          )
      } catch (error) {
        this.#takeBack(committed.map(({ record }) => record))
        for (const { record } of committed) if (record.id !== undefined) this.#state.applied.remove(record.id)
        if (!(error instanceof LogConflictError || error instanceof LogUncertainError) || attempt >= 10) throw error
        await this.#catchUp()
        continue
      }
      this.#confirm(
        committed,
        outcomes.map(({ waiting, outcome, before }) => ({
          author: waiting.author,
          id: waiting.transaction.id,
          outcome,
          before,
        })),
      )
      for (const { waiting, outcome } of outcomes) {
        if (outcome.kind === 'refused') this.#verdicts.set(waiting.access, waiting.transaction.id, outcome)
        waiting.settle(outcome)
      }
      return
    }
  }

  #decide(batch: readonly Waiting[]): {
    committed: Committed[]
    outcomes: { waiting: Waiting; outcome: Outcome; before: number }[]
  } {
    const committed: Committed[] = []
    const outcomes = batch.map((waiting) => {
      const before = committed.length
      const { transaction, access, author, by } = waiting
      const { id, label } = transaction
      const known = this.#state.applied.find(id)
      if (known !== undefined) return { waiting, before, outcome: { kind: 'known' as const, sequence: known } }
      const refused = this.#verdicts.get(access, id)
      if (refused) return { waiting, before, outcome: { kind: 'refused' as const, ...refused } }
      try {
        const missing = transaction.requires?.some((one) => this.#state.applied.find(one) === undefined)
        if (missing) throw new ConflictError('it rests on a transaction that was refused')
        if (transaction.reads) this.#recent.assertUnchanged(transaction.reads, waiting.base, access, committed)
        // It asks only whether what it has read is still so.
        if (transaction.changes.length === 0)
          return { waiting, before, outcome: { kind: 'known' as const, sequence: this.#state.sequence } }
        const { changes, transitions } = decide(this.store, access, transaction)
        const sequence = this.#state.sequence + committed.length + 1
        const record: LogRecord = {
          kind: 'transaction',
          id,
          at: this.#options.now(),
          ...(by !== undefined && { by }),
          ...(label !== undefined && { label }),
          changes,
        }
        this.#state.applied.add(id, sequence)
        committed.push({ sequence, record, transitions, author, sent: transaction })
        return { waiting, before, outcome: { kind: 'committed' as const, sequence } }
      } catch (error) {
        const refusal = this.#refusal(error, access)
        return { waiting, before, outcome: { kind: 'refused' as const, ...refusal } }
      }
    })
    return { committed, outcomes }
  }

  #refusal(error: unknown, access: Access): Refusal {
    const refusal = refusalOf(error)
    if (!refusal) {
      this.#options.report(error)
      return { code: 'internal', reason: 'the server failed on this transaction' }
    }
    // What the schema says against a row may rest on a field that is withheld.
    if (refusal.code === 'validation' && access.withholdsAny)
      return { code: 'validation', reason: 'a row would not be as the schema has it' }
    // What a constraint says names rows, which may be hidden.
    return refusal.code === 'constraint' && !access.unrestricted
      ? { code: 'constraint', reason: 'a unique value, key or reference stands against it' }
      : refusal
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
    const from = state.sequence
    let isReplaced = false
    try {
      await state.follow(this.#options.log, undefined, {
        stopsBefore: ({ parts }) => (isReplaced ||= parts !== undefined),
        applied: (record, sequence, transitions) =>
          committed.push({ sequence, record, transitions, author: undefined, sent: undefined }),
      })
    } finally {
      // Where the log can't be read to its end, everyone is told of what the state has all the same.
      const { sequence } = state
      state.sequence = from
      this.#confirm(committed, [])
      state.sequence = sequence
    }
    if (isReplaced) await this.#become((await loadNewest(this.name, this.#options)).state)
  }

  /** The log has them: the state is theirs, and everyone is told. */
  #confirm(committed: readonly Committed[], outcomes: Decided['outcomes']): void {
    this.#state.sequence = committed.at(-1)?.sequence ?? this.#state.sequence
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

  /** Keeps a snapshot now and then; a large one while transactions go on. */
  async #housekeep(): Promise<void> {
    const { sequence } = this.#state
    if (!this.#kept.idle || sequence - this.#snapshotAt < this.#options.snapshotEvery) return
    const kept = this.#besideAll(() => this.#snapshot(sequence, { signal: this.#closing.signal })).catch(
      (error: unknown) => {
        // The log has everything; a later batch tries again. One that closes keeps a snapshot itself.
        if (!this.#closing.signal.aborted) this.#options.report(error)
      },
    )
    if (await this.#options.beside.isNear(this.name, this.#options, sequence)) await kept
  }

  async #snapshot(
    sequence: number,
    { label, ...options }: Pick<WorkOptions, 'signal' | 'progress'> & { readonly label?: string | undefined } = {},
  ): Promise<void> {
    const { beside, snapshots, log, now, historyEntries } = this.#options
    const knownFrom = sequence - KNOWN_IDS
    this.#state.applied.forgetBefore(knownFrom)
    const scratch = beside.files.path()
    try {
      const work = { kind: 'snapshot', database: this.name, scratch, at: sequence, knownFrom } as const
      const { bytes } = await beside.run(work, this.#options, { ...options, at: sequence })
      await snapshots.put(this.name, { sequence, label, at: now() }, bytes)
    } finally {
      await beside.files.remove(scratch)
    }
    this.#snapshotAt = Math.max(this.#snapshotAt, sequence)
    const { first } = await log.bounds()
    const keep = Math.max(sequence - historyEntries, first)
    await this.#thinOut(keep)
    // A state is a snapshot and the log since: the log begins after the snapshot that the oldest states rest on.
    const base = (await snapshots.list(this.name)).findLast((one) => one.sequence <= keep)?.sequence ?? 0
    if (keep > first && base + 1 > first) await log.trim(base + 1)
  }

  /** Snapshots without a label are there to be opened fast: none before the log, and none between two that are close. */
  async #thinOut(first: number): Promise<void> {
    const { snapshots, snapshotEvery } = this.#options
    const all = await snapshots.list(this.name)
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
    return this.run(() => this.#options.log.bounds())
  }

  /** What was put aside, oldest first. */
  snapshots(): Promise<readonly SnapshotInfo[]> {
    return this.#options.snapshots.list(this.name)
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

/** The newest state, with its file where it was migrated. A large one is put into a file beside, and opened there. */
async function loadNewest(
  name: string,
  options: LiveDatabaseOptions,
): Promise<{ readonly state: State; readonly migrated: Uint8Array | undefined }> {
  const { beside, log, schema } = options
  const { last } = await log.bounds()
  if (await beside.isNear(name, options, last)) {
    const { state, migrated } = await State.load(name, schema, options)
    return { state, migrated: migrated ? state.snapshot() : undefined }
  }
  const scratch = beside.files.path()
  try {
    const work = { kind: 'open', database: name, scratch } as const
    const { sequence, migrated } = await beside.run(work, options, { at: last })
    const file = migrated ? await readFile(scratch) : undefined
    return { state: await State.at(scratch, schema, sequence), migrated: file }
  } catch (error) {
    await beside.files.remove(scratch)
    throw error
  }
}

async function emptyFile(schema: Schema): Promise<Uint8Array> {
  const state = await State.create(schema)
  try {
    state.applied.setFact('incarnation', randomUUID())
    return state.snapshot()
  } finally {
    await state.close()
  }
}

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined))
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

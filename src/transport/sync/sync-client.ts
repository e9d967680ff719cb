import { firstValueFrom, Subject, throwError } from 'rxjs'
import type { ChangeSet, KeyId, RowChange } from '../../changes/index.ts'
import { NotFoundError, RejectedError, StoreClosedError, SyncEndedError } from '../../errors/index.ts'
import {
  FilterError,
  type CommitOptions,
  type RunningSync,
  type StoreInternals,
  type StoreSync,
  type SyncReconnect,
  type SyncSet,
  type SyncStart,
  type SyncStatus,
  type SyncSubscription,
  type TableRows,
} from '../../store/index.ts'
import {
  PROTOCOL_VERSION,
  type ClosingMessage,
  type CommitsMessage,
  type RowsMessage,
  type ServerMessage,
  type WelcomeMessage,
} from '../protocol/messages.ts'
import type { Transport } from '../transport.ts'
import { ConnectionKeeper, type ConnectionUser } from './connection-keeper.ts'
import { Copy } from './copy.ts'
import { Latest } from './latest.ts'
import { nameOf, nextBatch } from './next-batch.ts'
import { nameInToken, otherUser } from './owner.ts'
import { Others } from './others.ts'
import type { Turn } from './outbox.ts'
import { OwnPresence } from './own-presence.ts'
import { rowsIn } from './rows-in.ts'
import { ServerLine } from './server-line.ts'
import { Subscriptions } from './subscriptions.ts'
import { syncApi } from './sync-api.ts'
import type { Timers } from './timers.ts'
import { Tokens, type TokenUser } from './tokens.ts'
import { toWire } from './wire.ts'

/** After what could not be taken in; twice as long after each more. */
const BROKEN_MS = 1_000
const LONGEST_BROKEN_MS = 60_000
/** How often a transaction that only reads is run again of itself. */
const READ_RETRIES = 10

/** Codes of what was judged and refused: trying again is of no use. Everything else passes. */
const FINAL = new Set(['protocol-version', 'schema-version', 'unauthenticated', 'forbidden', 'unknown-database'])

/** Codes of what is wrong with the server: another may be well. */
const ELSEWHERE = new Set(['shutting-down', 'unavailable', 'internal'])

/** Why there is no connection, as `status$` tells it. */
type Told = Required<Pick<SyncStatus, 'reason'>> & Pick<SyncStatus, 'code' | 'reload'>

/**
 * Keeps a store in step with a server: sends what is committed here, in order, until the server has said what became of
 * it; takes in what the server has confirmed, below whatever is pending or in drafts.
 */
export class SyncClient implements RunningSync, ConnectionUser {
  readonly api: StoreSync
  readonly #internals: StoreInternals
  readonly #keeper: ConnectionKeeper
  readonly #tokens: Tokens
  readonly #database: string
  /** The user's id, as the application knows it. */
  readonly #user: string | undefined
  /** How this connection's hello has named its user. */
  #as: string | undefined
  readonly #copy: Copy
  readonly #subscriptions: Subscriptions
  readonly #others: Others
  readonly #status: Latest<SyncStatus>
  /** Something has moved that someone may wait for. */
  readonly #moved$ = new Subject<void>()
  readonly #line: ServerLine
  /** How the server has welcomed us on this connection. */
  #welcome: WelcomeMessage | undefined
  /** Whether the server has told everything that there was. */
  #isUpToDate = false
  /** Whether everything is being fetched anew. */
  #resetting = false
  #flushing = false
  readonly #presence: OwnPresence
  /** Why the connection is being ended here, for those who are told that it is lost. */
  #told: Told | undefined
  /** What ended the sync for good; until it is begun anew. */
  #ended: SyncEndedError | undefined
  /** Commits of which more belong together are to come. */
  #arriving: CommitsMessage['commits'][number][] = []
  /** Messages in a row that could not be taken in. */
  #broken = 0
  #closed = false

  constructor(internals: StoreInternals, transport: Transport, start: SyncStart, timers: Timers) {
    this.#internals = internals
    this.#database = start.database
    this.#user = start.user
    const tell = (run: () => void): void => internals.engine.enqueue(run)
    this.#others = new Others(tell)
    this.#status = new Latest<SyncStatus>({ state: 'connecting', pending: 0 }, tell)
    this.#copy = new Copy(internals, start.database, start.position, (start.subscribe ?? []).length > 0)
    this.#line = new ServerLine(transport, {
      arrived: (message) => this.#arrived(message),
      misunderstood: (reason) => this.#interrupt({ reason, code: 'malformed' }),
      progressed: () => this.#progressed(),
    })
    this.#subscriptions = new Subscriptions({
      subscribe: (subscription) => this.#line.post({ type: 'subscribe', subscription }),
      unsubscribe: (id) => this.#line.post({ type: 'unsubscribe', id }),
    })
    this.#subscriptions.add(start.subscribe ?? [])
    this.#keeper = new ConnectionKeeper(transport, start.database, this, timers)
    this.#tokens = new Tokens(transport.token, this.#tokenUser(), timers)
    this.#presence = new OwnPresence(timers, (state) => this.#line.post({ type: 'presence', state }))
    if (start.kept)
      this.#copy.restore(start.kept, () => {
        this.#pendingChanged()
        this.#flush()
      })
    this.#copy.own(start.owner)
    this.#pendingChanged()
    this.api = syncApi({
      status$: this.#status.value$,
      copy: this.#copy,
      others: this.#others,
      subscribe: (sets) => this.#subscribe(sets),
      reconnect: (options) => this.#reconnect(options),
      setPresence: (state) => this.#presence.set(state),
    })
  }

  start(): void {
    this.#keeper.start()
  }

  // What the engine asks and tells.

  get pending(): boolean {
    return this.#copy.pending
  }

  covers(rows: TableRows, id: KeyId): boolean {
    return this.#copy.covers(rows, id)
  }

  committed(set: ChangeSet, meant: readonly RowChange[], options: CommitOptions): Promise<void> {
    const confirmed = this.#copy.commit(set, meant, options)
    this.#pendingChanged()
    this.#flush()
    return confirmed
  }

  async confirm<Result>(
    run: () => Result,
    { label, retries }: { readonly label?: string | undefined; readonly retries: number },
  ): Promise<Result> {
    const turn = this.#copy.outbox.takeTurn()
    try {
      for (let attempt = 0; ; attempt++) {
        // On what is confirmed, and on nothing that the server may yet refuse.
        await this.#inStep(turn)
        const { result, changes, reads } = this.#copy.tryOut(run, label)
        const readsOnly = changes.changes.length === 0
        if (readsOnly && reads.length === 0) return result
        try {
          await this.#submit(changes, reads)
          return result
        } catch (error) {
          // To have read again costs nothing and changes nothing.
          const limit = readsOnly ? Math.max(retries, READ_RETRIES) : retries
          if (!(error instanceof RejectedError) || error.rejection !== 'conflict' || attempt >= limit) throw error
        }
      }
    } finally {
      turn.end()
      this.#flush()
    }
  }

  saved(): Promise<void> {
    return this.#copy.saved()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const kept = this.#copy.close()
    this.#keeper.stop()
    this.#tokens.drop()
    this.#presence.disconnected()
    this.#others.close()
    this.#subscriptions.close()
    this.#moved$.complete()
    try {
      await kept
    } finally {
      // Not before the store is closed: what is written in answer could not be kept any more.
      this.#status.set({ state: 'closed', pending: this.#copy.outbox.size })
      this.#status.complete()
    }
  }

  // What the connection tells.

  opened(): void {
    this.#line.opened()
    this.#tokens.need()
  }

  lost(reason: string | undefined): void {
    const told = this.#told ?? (reason === undefined ? {} : { reason })
    this.#disconnected()
    this.#setStatus({ state: 'offline', ...told })
  }

  ping(): void {
    if (this.#welcome) this.#line.ping()
  }

  received(frame: string): void {
    this.#line.receive(frame)
  }

  #arrived(message: ServerMessage): void {
    try {
      this.#handle(message)
    } catch (error) {
      // Whatever it was, this copy can't be trusted any more: it is told, and everything is fetched anew.
      throwError(() => error).subscribe()
      this.#copy.distrust()
      const reason = 'a message could not be taken in: fetching everything anew'
      this.#interrupt({ reason, code: 'internal' }, Math.min(BROKEN_MS * 2 ** this.#broken++, LONGEST_BROKEN_MS))
    }
  }

  #handle(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#takeWelcome(message)
        return
      case 'rows':
        this.#takeRows(message)
        break
      case 'commits':
        this.#takeCommits(message)
        break
      case 'known':
        this.#copy.known(message.id)
        break
      case 'refused':
        if (!this.#subscriptions.refuse(message.id, message.code, message.reason))
          this.#copy.refuse(message.id, message.code, message.reason)
        break
      case 'unsubscribed': {
        const { gone, position } = message
        this.#copy.arrive([{ changes: gone.map(([table, key]) => ({ table, key, op: 'delete' })) }], { position })
        break
      }
      case 'presence':
        this.#others.take(message.others)
        return
      case 'closing':
        this.#takeClosing(message)
        return
      case 'live':
        this.#becomeLive()
        return
      case 'pong':
      // Of what comes in pieces: the line has seen to it.
      case 'begin':
      case 'end':
      case 'received':
        return
    }
    this.#pendingChanged()
    this.#flush()
  }

  /** What can't be had is refused here: with a hello it would end the connection. */
  #subscribe(sets: readonly SyncSet[]): SyncSubscription {
    try {
      for (const { table, where } of sets) this.#internals.assertRows(table, where ?? {})
    } catch (error) {
      if (!(error instanceof NotFoundError) && !(error instanceof FilterError)) throw error
      const ready = Promise.reject<void>(new RejectedError('not-found', error.message))
      // Not everyone waits for it.
      ready.catch(() => undefined)
      return { ready, unsubscribe: () => undefined }
    }
    return this.#subscriptions.add(sets)
  }

  #takeWelcome(welcome: WelcomeMessage): void {
    const { user } = welcome
    const as = this.#as
    if (!this.#copy.belongsTo({ ...(user !== undefined && { user }), ...(as !== undefined && { as }) })) {
      const { code, message } = otherUser(this.#database)
      this.#copy.disown(code, message)
      this.#end({ code, reason: message })
      return
    }
    this.#keeper.welcomed()
    this.#welcome = welcome
    // What goes on may have arrived already, but for the word of its end.
    this.#resetting = welcome.resumes ? this.#copy.isArriving : welcome.reset
    this.#line.welcomed(welcome)
    if (!welcome.resumes) this.#arriving = []
    this.#subscriptions.welcome({ reset: this.#resetting })
    if (welcome.reset && !welcome.resumes) this.#copy.begin()
    this.#copy.outbox.resend()
    this.#presence.connected()
  }

  #takeRows(message: RowsMessage): void {
    const { subscription, position, sequence } = message
    const rows = rowsIn(message)
    if (subscription === undefined) this.#copy.take(rows, position === undefined ? undefined : { position, sequence })
    else {
      const all = this.#subscriptions.take(subscription, rows, position !== undefined)
      if (all) this.#copy.arrive([{ changes: all }], { position, sequence })
    }
    if (position === undefined) return
    this.#subscriptions.ready(subscription)
    if (subscription === undefined) this.#resetting = false
  }

  /** Those that belong together are taken in together. */
  #takeCommits({ commits, position, sequence }: CommitsMessage): void {
    this.#arriving.push(...commits)
    if (position === undefined) return
    const all = this.#arriving
    this.#arriving = []
    this.#copy.arrive(all, { position, sequence })
  }

  #takeClosing({ code, reason, retryAfterMs, reload, redirect }: ClosingMessage): void {
    const told = { reason, code, ...(reload && { reload }) }
    // What the server could not read it will not be able to read next time either.
    const final = FINAL.has(code) || ((code === 'malformed' || code === 'too-large') && !this.#welcome)
    if (final && retryAfterMs === undefined) {
      this.#end(told)
      return
    }
    // A position that the server does not know is no use any more.
    if (code === 'unknown-position') this.#copy.distrust()
    if (redirect !== undefined) {
      const refused = this.#keeper.redirect(redirect)
      // What it asks for is a pause before it is asked again.
      if (refused === undefined) return this.#interrupt(told)
      told.reason = `${reason} (not redirected: ${refused})`
    }
    const goesElsewhere = ELSEWHERE.has(code) && this.#keeper.moveOn()
    this.#interrupt(told, goesElsewhere && code === 'shutting-down' ? undefined : retryAfterMs)
  }

  #interrupt(told: Told, askedMs?: number): void {
    this.#told = told
    this.#keeper.reconnect(askedMs)
  }

  /** Nothing is tried any more. Whoever waits for an answer, or will, is told so; what is pending stays. */
  #end(told: Told & { readonly code: string }): void {
    this.#keeper.rest()
    this.#disconnected()
    const ended = new SyncEndedError(told.code, told.reason)
    this.#internals.engine.holdEmissions(() => {
      this.#ended = ended
      this.#copy.outbox.suspend(ended)
      this.#subscriptions.suspend(ended)
      this.#setStatus({ state: 'closed', ...told })
    })
  }

  #reconnect({ token }: SyncReconnect = {}): void {
    if (this.#closed) throw new StoreClosedError()
    if (token !== undefined) this.#tokens.replace(token)
    this.#disconnected()
    this.#keeper.restart()
    this.#internals.engine.holdEmissions(() => {
      this.#ended = undefined
      this.#copy.outbox.resume()
      this.#subscriptions.resume()
      this.#setStatus({ state: 'connecting' })
    })
  }

  /** There is no connection any more: what belonged to it is forgotten. */
  #disconnected(): void {
    this.#told = undefined
    this.#welcome = undefined
    this.#isUpToDate = false
    this.#resetting = false
    this.#tokens.drop()
    this.#subscriptions.disconnected()
    this.#presence.disconnected()
    this.#others.clear()
  }

  #tokenUser(): TokenUser {
    return {
      came: (token) => this.#hello(token),
      waiting: () => {
        this.#keeper.rest()
        this.#setStatus({ state: 'offline', reason: 'token() is awaited: it is connected once that has answered' })
      },
      late: () => this.#keeper.proceed(),
      failed: (reason) => this.#interrupt({ reason }),
    }
  }

  #hello(token: string | undefined): void {
    this.#as = this.#user ?? (token === undefined ? undefined : nameInToken(token))
    const { position } = this.#copy
    this.#line.post({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      schemaVersion: this.#internals.engine.schema.version,
      database: this.#database,
      ...(token !== undefined && { token }),
      ...(position !== undefined && { position }),
      ...this.#line.unfinished,
      subscriptions: this.#subscriptions.hello(),
    })
  }

  /** Sends what waits, soon: transactions that are committed one after the other travel together. */
  #flush(): void {
    if (this.#flushing || !this.#welcome || this.#resetting) return
    this.#flushing = true
    queueMicrotask(() => {
      this.#flushing = false
      while (this.#welcome && !this.#resetting) {
        const { batch, tooLarge } = nextBatch(this.#copy.outbox, this.#welcome.limits)
        for (const { id, reason } of tooLarge) this.#copy.refuse(id, 'too-large', reason)
        if (tooLarge.length > 0) this.#pendingChanged()
        if (batch.length > 0) {
          this.#line.post({ type: 'transact', transactions: batch.map(({ wire }) => wire) }, () => nameOf(batch))
          this.#keeper.sent()
        } else if (tooLarge.length === 0) return
      }
    })
  }

  /** Sends a transaction that shows only once it is confirmed. */
  #submit(set: ChangeSet, reads: ReturnType<Copy['tryOut']>['reads']): Promise<void> {
    const id = crypto.randomUUID()
    const { label, changes } = set
    const verdict = this.#copy.outbox.enter({
      id,
      changes: set,
      layer: undefined,
      version: this.#internals.engine.schema.version,
      wire: {
        id,
        changes: toWire(changes, [], true),
        ifUnchanged: true,
        base: this.#copy.position!,
        reads,
        ...(label !== undefined && { label }),
      },
    })
    this.#pendingChanged()
    this.#flush()
    return verdict
  }

  /** Waits until this copy is up to date and everything that was committed in it before has its verdict. */
  async #inStep(turn: Turn): Promise<void> {
    const inStep = (): boolean =>
      this.#welcome !== undefined && !this.#resetting && this.#copy.position !== undefined && turn.hasCome()
    while (!inStep()) {
      if (this.#closed) throw new StoreClosedError()
      if (this.#ended) throw this.#ended
      await firstValueFrom(this.#moved$, { defaultValue: undefined })
    }
  }

  #becomeLive(): void {
    this.#broken = 0
    this.#isUpToDate = true
    this.#progressed()
    this.#flush()
  }

  /** Tells how the connection stands: while something long arrives, the copy is behind. */
  #progressed(): void {
    if (!this.#welcome) return
    const { receiving, sending } = this.#line
    const progress = receiving ?? sending
    const state = this.#isUpToDate && !receiving ? 'live' : 'connecting'
    const { value } = this.#status
    if (value.state === state && !progress && !value.progress && value.reason === undefined) return
    this.#setStatus({ state, ...(progress && { progress: Object.freeze(progress) }) })
  }

  #pendingChanged(): void {
    const { value } = this.#status
    if (value.pending !== this.#copy.outbox.size) this.#setStatus(value)
  }

  #setStatus(status: Omit<SyncStatus, 'pending'>): void {
    if (this.#closed) return
    this.#status.set(Object.freeze({ ...status, pending: this.#copy.outbox.size }))
    this.#moved$.next()
  }
}

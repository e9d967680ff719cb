import { firstValueFrom, Subject, throwError } from 'rxjs'
import type { ChangeSet, KeyId, RowChange } from '../../changes/index.ts'
import { RejectedError, StoreClosedError } from '../../errors/index.ts'
import type {
  CommitOptions,
  RunningSync,
  StoreInternals,
  StoreSync,
  SyncStart,
  SyncStatus,
  TableRows,
} from '../../store/index.ts'
import {
  PROTOCOL_VERSION,
  type ClientMessage,
  type ClosingMessage,
  type CommitsMessage,
  type RowsMessage,
  type ServerMessage,
  type WelcomeMessage,
} from '../protocol/messages.ts'
import { formatMessage, MalformedMessageError, parseServerMessage } from '../protocol/parse-message.ts'
import type { Transport } from '../transport.ts'
import { ConnectionKeeper, type ConnectionUser } from './connection-keeper.ts'
import { Copy } from './copy.ts'
import { Latest } from './latest.ts'
import { nextBatch } from './next-batch.ts'
import { nameInToken, otherUser } from './owner.ts'
import { Others } from './others.ts'
import { OwnPresence } from './own-presence.ts'
import { Subscriptions } from './subscriptions.ts'
import { syncApi } from './sync-api.ts'
import type { Timers } from './timers.ts'
import { toWire } from './wire.ts'

const RETRY_MS = 1_000
/** How often a transaction that only reads is run again of itself. */
const READ_RETRIES = 10

/** Codes after which trying again is of no use. */
const FINAL = new Set(['protocol-version', 'schema-version', 'unauthenticated', 'forbidden', 'unknown-database'])

/** A message before it has its number. */
type Unnumbered = ClientMessage extends infer M ? (M extends ClientMessage ? Omit<M, 'n'> : never) : never

/**
 * Keeps a store in step with a server: sends what is committed here, in order, until the server has said what became of
 * it; takes in what the server has confirmed, below whatever is pending or in drafts.
 */
export class SyncClient implements RunningSync, ConnectionUser {
  readonly api: StoreSync
  readonly #internals: StoreInternals
  readonly #transport: Transport
  readonly #keeper: ConnectionKeeper
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
  /** Of this connection: what was sent and received, and how the server has welcomed us. */
  #sent = 0
  #received = 0
  #welcome: WelcomeMessage | undefined
  /** Whether everything is being fetched anew. */
  #resetting = false
  #flushing = false
  readonly #presence: OwnPresence
  #closed = false

  constructor(internals: StoreInternals, transport: Transport, start: SyncStart, timers: Timers) {
    this.#internals = internals
    this.#transport = transport
    this.#database = start.database
    this.#user = start.user
    const tell = (run: () => void): void => internals.engine.enqueue(run)
    this.#others = new Others(tell)
    this.#status = new Latest<SyncStatus>({ state: 'connecting', pending: 0 }, tell)
    this.#copy = new Copy(internals, start.database, start.position)
    this.#subscriptions = new Subscriptions({
      subscribe: (subscription) => this.#post({ type: 'subscribe', subscription }),
      unsubscribe: (id) => this.#post({ type: 'unsubscribe', id }),
    })
    this.#subscriptions.add(start.subscribe ?? [])
    this.#keeper = new ConnectionKeeper(transport, start.database, this, timers)
    this.#presence = new OwnPresence(timers, (state) => this.#post({ type: 'presence', state }))
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
      subscribe: (sets) => this.#subscriptions.add(sets),
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
    for (let attempt = 0; ; attempt++) {
      // On what is confirmed, and on nothing that the server may yet refuse.
      await this.#inStep()
      const { result, changes, reads } = this.#internals.tryOut(run, label)
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
  }

  saved(): Promise<void> {
    return this.#copy.saved()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const kept = this.#copy.close()
    this.#keeper.stop()
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
    this.#sent = 0
    this.#received = 0
    this.#welcome = undefined
    this.#presence.disconnected()
    this.#resetting = false
    this.#hello().catch((error: unknown) => {
      this.#keeper.reconnect(0)
      const reason = `no token: ${error instanceof Error ? error.message : String(error)}`
      this.#setStatus({ state: 'offline', reason })
    })
  }

  lost(reason: string | undefined): void {
    this.#welcome = undefined
    this.#presence.disconnected()
    this.#others.clear()
    const { state, reason: known } = this.#status.value
    const told = reason ?? known
    if (state !== 'closed') this.#setStatus({ state: 'offline', ...(told !== undefined && { reason: told }) })
  }

  ping(): void {
    if (this.#welcome) this.#post({ type: 'ping' })
  }

  received(text: string): void {
    let message: ServerMessage
    try {
      message = parseServerMessage(text)
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error
      this.#misunderstood(error.message)
      return
    }
    if (message.n !== this.#received++) {
      this.#misunderstood(`message ${message.n} came where ${this.#received - 1} was due`)
      return
    }
    try {
      this.#handle(message)
    } catch (error) {
      // Whatever it was, this copy can't be trusted any more: it is told, and everything is fetched anew.
      throwError(() => error).subscribe()
      this.#copy.distrust()
      const reason = 'a message could not be taken in: fetching everything anew'
      this.#setStatus({ state: 'offline', reason, code: 'internal' })
      this.#keeper.reconnect(RETRY_MS)
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
      case 'pong':
        return
    }
    this.#pendingChanged()
    this.#flush()
  }

  #takeWelcome(welcome: WelcomeMessage): void {
    const { user } = welcome
    const as = this.#as
    if (!this.#copy.belongsTo({ ...(user !== undefined && { user }), ...(as !== undefined && { as }) })) {
      const { code, message } = otherUser(this.#database)
      this.#copy.disown(code, message)
      this.#setStatus({ state: 'closed', code, reason: message })
      this.#keeper.stop()
      return
    }
    this.#welcome = welcome
    this.#resetting = welcome.reset
    this.#subscriptions.welcome(welcome.reset)
    this.#copy.outbox.resend()
    this.#presence.connected()
    if (!welcome.reset) this.#becomeLive()
  }

  #takeRows(message: RowsMessage): void {
    const rows = this.#subscriptions.take(message)
    const { subscription, position, sequence } = message
    if (!rows || position === undefined) return
    if (subscription === undefined) this.#copy.replace(rows, { position, sequence })
    else this.#copy.arrive([{ changes: rows }], { position, sequence })
    this.#subscriptions.ready(subscription)
    if (subscription !== undefined) return
    this.#resetting = false
    this.#becomeLive()
  }

  #takeCommits({ commits, position, sequence }: CommitsMessage): void {
    this.#copy.arrive(commits, { position, sequence })
  }

  #takeClosing({ code, reason, retryAfterMs, reload }: ClosingMessage): void {
    const told = { reason, code, ...(reload && { reload }) }
    // What the server could not read it will not be able to read next time either.
    const final = FINAL.has(code) || (code === 'malformed' && !this.#welcome)
    if (final && retryAfterMs === undefined) {
      this.#setStatus({ state: 'closed', ...told })
      this.#keeper.stop()
      return
    }
    // A position that the server does not know is no use any more.
    if (code === 'unknown-position') this.#copy.distrust()
    this.#setStatus({ state: 'offline', ...told })
    this.#keeper.reconnect(retryAfterMs ?? 0)
  }

  #misunderstood(reason: string): void {
    this.#setStatus({ state: 'offline', reason, code: 'malformed' })
    this.#keeper.reconnect(0)
  }

  async #hello(): Promise<void> {
    const { token } = this.#transport
    const given = typeof token === 'function' ? await token() : token
    this.#as = this.#user ?? (given === undefined ? undefined : await nameInToken(given))
    const { position } = this.#copy
    this.#post({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      schemaVersion: this.#internals.engine.schema.version,
      database: this.#database,
      ...(given !== undefined && { token: given }),
      ...(position !== undefined && { position }),
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
        if (batch.length > 0) this.#post({ type: 'transact', transactions: batch.map(({ wire }) => wire) })
        else if (tooLarge.length === 0) return
      }
    })
  }

  /** Sends a transaction that shows only once it is confirmed. */
  #submit(set: ChangeSet, reads: ReturnType<StoreInternals['tryOut']>['reads']): Promise<void> {
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

  /** Waits until this copy is up to date and everything that was committed in it has its verdict. */
  async #inStep(): Promise<void> {
    const inStep = (): boolean =>
      this.#welcome !== undefined && !this.#resetting && this.#copy.position !== undefined && !this.pending
    while (!inStep()) {
      if (this.#closed) throw new StoreClosedError()
      await firstValueFrom(this.#moved$, { defaultValue: undefined })
    }
  }

  #post(message: Unnumbered): void {
    this.#transport.send(formatMessage({ ...message, n: this.#sent++ }))
  }

  #becomeLive(): void {
    this.#keeper.settled()
    this.#setStatus({ state: 'live' })
    this.#flush()
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

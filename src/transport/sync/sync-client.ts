import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs'
import { keyId, type ChangeSet, type KeyId, type RowChange } from '../../changes/index.ts'
import { RejectedError, StoreClosedError } from '../../errors/index.ts'
import {
  PendingLayer,
  PendingLayers,
  type Arrival,
  type PendingTransaction,
  type PresenceOther,
  type RejectedTransaction,
  type RunningSync,
  type StoreInternals,
  type StoreSync,
  type SyncSet,
  type SyncStart,
  type SyncStatus,
  type SyncSubscription,
  type TableRows,
} from '../../store/index.ts'
import {
  PROTOCOL_VERSION,
  type ClientMessage,
  type ClosingMessage,
  type CommitsMessage,
  type RowsMessage,
  type ServerMessage,
  type WireSubscription,
} from '../protocol/messages.ts'
import { formatMessage, MalformedMessageError, parseServerMessage } from '../protocol/parse-message.ts'
import type { Transport } from '../transport.ts'
import { ConnectionKeeper, type ConnectionUser } from './connection-keeper.ts'
import { Outbox, type Waiting } from './outbox.ts'
import { Others } from './others.ts'
import { Rejections } from './rejections.ts'
import type { Timers } from './timers.ts'
import { toWire } from './wire.ts'

/** Transactions that are on their way at once; more wait their turn. */
const MAX_IN_FLIGHT = 5_000
/** Transactions of one message. */
const MAX_TOGETHER = 500
/** Characters of one message, about. */
const MESSAGE_SIZE = 512 * 1024

/** Codes after which trying again is of no use. */
const FINAL = new Set(['protocol-version', 'schema-version', 'unauthenticated', 'forbidden', 'unknown-database'])

interface Subscription {
  readonly wire: WireSubscription
  readonly ready: () => void
  readonly refused: (error: RejectedError) => void
}

/**
 * Keeps a store in step with a server: sends what is committed here, in order, until the server has said what became of
 * it; takes in what the server has confirmed, below whatever is pending or in drafts.
 */
export class SyncClient implements RunningSync, ConnectionUser {
  readonly #internals: StoreInternals
  readonly #layers: PendingLayers
  readonly #transport: Transport
  readonly #keeper: ConnectionKeeper
  readonly #outbox = new Outbox()
  readonly #rejections: Rejections
  readonly #others = new Others()
  readonly #database: string
  readonly #client: string = crypto.randomUUID()
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #status$: BehaviorSubject<SyncStatus>
  readonly api: StoreSync
  #position: string | undefined
  #sequence = 0
  #nextId = 1
  /** Of this connection: what was sent and received, and whether the server has welcomed us. */
  #sent = 0
  #received = 0
  #welcomed = false
  #reset: { readonly rows: Arrival[] } | undefined
  readonly #partial = new Map<string, Arrival[]>()
  #flushing = false
  #presence: unknown
  #closed = false

  constructor(internals: StoreInternals, transport: Transport, start: SyncStart, timers: Timers) {
    this.#internals = internals
    this.#layers = new PendingLayers(internals.engine)
    this.#transport = transport
    this.#database = start.database
    this.#status$ = new BehaviorSubject<SyncStatus>({ state: 'connecting', pending: 0 })
    this.#rejections = new Rejections((changes, label) => internals.recommit(changes, label))
    this.#keeper = new ConnectionKeeper(transport, start.database, this, timers)
    this.#addSubscription(start.subscribe ?? [])
    this.api = this.#makeApi()
  }

  start(): void {
    this.#keeper.start()
  }

  // What the engine asks and tells.

  get pending(): boolean {
    return this.#layers.size > 0
  }

  covers(rows: TableRows, id: KeyId): boolean {
    return this.#layers.covers(rows, id)
  }

  committed(
    set: ChangeSet,
    meant: readonly RowChange[],
    { ifUnchanged }: { readonly ifUnchanged: boolean },
  ): Promise<void> {
    const id = crypto.randomUUID()
    const layer = new PendingLayer(id, set.label)
    this.#layers.add(layer, set.changes, meant)
    const changes = toWire(set.changes, meant, ifUnchanged)
    return this.#send(id, set, { layer, changes, ...(ifUnchanged && { wire: { ifUnchanged } }) })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#keeper.stop()
    this.#outbox.close()
    this.#rejections.close()
    this.#others.close()
    this.#status$.next({ state: 'closed', pending: this.#outbox.size })
    this.#status$.complete()
  }

  // What the connection tells.

  opened(): void {
    this.#sent = 0
    this.#received = 0
    this.#welcomed = false
    this.#reset = undefined
    this.#partial.clear()
    this.#hello().catch((error: unknown) => {
      this.#keeper.reconnect(0)
      this.#setStatus({
        state: 'offline',
        reason: `no token: ${error instanceof Error ? error.message : String(error)}`,
      })
    })
  }

  lost(reason: string | undefined): void {
    this.#welcomed = false
    this.#others.clear()
    const { state, reason: known } = this.#status$.value
    const told = reason ?? known
    if (state !== 'closed') this.#setStatus({ state: 'offline', ...(told !== undefined && { reason: told }) })
  }

  ping(): void {
    if (this.#welcomed) this.#post({ type: 'ping' })
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
    this.#handle(message)
  }

  #handle(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#welcomed = true
        if (message.reset) this.#reset = { rows: [] }
        else this.#becomeLive()
        this.#outbox.resend()
        if (this.#presence !== undefined) this.#post({ type: 'presence', state: this.#presence })
        if (!message.reset) this.#flush()
        break
      case 'rows':
        this.#takeRows(message)
        break
      case 'commits':
        this.#takeCommits(message)
        break
      case 'known': {
        const waiting = this.#outbox.get(message.id)
        if (!waiting) break
        if (waiting.layer) this.#layers.remove(waiting.layer)
        this.#outbox.confirm(waiting)
        this.#pendingChanged()
        this.#flush()
        break
      }
      case 'refused':
        this.#takeRefusal(message.id, message.code, message.reason)
        break
      case 'unsubscribed':
        this.#layers.arrive(message.gone.map(([table, key]) => ({ table, key, op: 'delete' })))
        this.#position = message.position
        break
      case 'presence':
        this.#others.take(message.others)
        break
      case 'closing':
        this.#takeClosing(message)
        break
      case 'pong':
        break
    }
  }

  #takeRows(message: RowsMessage): void {
    const { subscription, rows, position } = message
    const found = subscription === undefined ? this.#reset?.rows : this.#partial.get(subscription)
    const all = found ?? []
    for (const [table, key, after] of rows) all.push({ table, key, op: 'put', after })
    if (subscription !== undefined) this.#partial.set(subscription, all)
    if (position === undefined) return
    if (subscription === undefined) {
      this.#reset = undefined
      this.#layers.arrive([...this.#missing(all), ...all])
      for (const { ready } of this.#subscriptions.values()) ready()
    } else {
      this.#partial.delete(subscription)
      this.#layers.arrive(all)
      this.#subscriptions.get(subscription)?.ready()
    }
    this.#position = position
    this.#sequence = message.sequence ?? this.#sequence
    if (subscription === undefined) {
      this.#becomeLive()
      this.#flush()
    }
  }

  /** Rows that are here and that a fresh copy does not have. */
  #missing(fresh: readonly Arrival[]): Arrival[] {
    const { engine } = this.#internals
    const there = new Map(engine.rows.map((rows) => [rows.schema.model.name, new Set<KeyId>()]))
    for (const { table, key } of fresh) there.get(table)?.add(keyId(key))
    return engine.rows.flatMap((rows) => {
      const table = rows.schema.model.name
      const gone: Arrival[] = []
      for (const [id, key] of this.#layers.baseKeys(rows))
        if (!there.get(table)!.has(id)) gone.push({ table, key, op: 'delete' })
      return gone
    })
  }

  #takeCommits({ commits, position, sequence }: CommitsMessage): void {
    for (const { id, changes } of commits) {
      const waiting = id === undefined ? undefined : this.#outbox.get(id)
      const arrivals = changes ?? waiting?.wire.changes ?? []
      this.#layers.arrive(arrivals, waiting?.layer)
      if (waiting) this.#outbox.confirm(waiting)
    }
    this.#position = position
    this.#sequence = sequence ?? this.#sequence
    this.#pendingChanged()
    this.#flush()
  }

  #takeRefusal(id: string, code: string, reason: string): void {
    const subscription = this.#subscriptions.get(id)
    if (subscription) {
      this.#subscriptions.delete(id)
      subscription.refused(new RejectedError(code, reason))
      return
    }
    const waiting = this.#outbox.get(id)
    if (!waiting) return
    if (waiting.layer) {
      this.#layers.remove(waiting.layer)
      this.#rejections.add({ id, changes: waiting.changes, code, reason })
    }
    this.#outbox.refuse(waiting, code, reason)
    this.#pendingChanged()
    this.#flush()
  }

  #takeClosing({ code, reason, retryAfterMs, reload }: ClosingMessage): void {
    const told = { reason, code, ...(reload && { reload }) }
    if (FINAL.has(code) && retryAfterMs === undefined) {
      this.#setStatus({ state: 'closed', ...told })
      this.#keeper.stop()
      return
    }
    // A position that the server does not know is no use any more.
    if (code === 'unknown-position') this.#position = undefined
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
    this.#post({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      schemaVersion: this.#internals.engine.schema.version,
      database: this.#database,
      client: this.#client,
      ...(given !== undefined && { token: given }),
      ...(this.#position !== undefined && { position: this.#position }),
      subscriptions: [...this.#subscriptions.values()].map(({ wire }) => wire),
    })
  }

  /** Sends what waits, soon: transactions that are committed one after the other travel together. */
  #flush(): void {
    if (this.#flushing || !this.#welcomed || this.#reset) return
    this.#flushing = true
    queueMicrotask(() => {
      this.#flushing = false
      while (this.#welcomed && !this.#reset && this.#outbox.inFlight < MAX_IN_FLIGHT) {
        const batch = this.#nextBatch()
        if (batch.length === 0) return
        this.#post({ type: 'transact', transactions: batch.map(({ wire }) => wire) })
      }
    })
  }

  #nextBatch(): Waiting[] {
    const taken = this.#outbox.take(MAX_TOGETHER)
    let size = 0
    const fit = taken.findIndex(({ wire }, n) => {
      size += sizeOf(wire.changes)
      return n > 0 && size > MESSAGE_SIZE
    })
    if (fit < 0) return taken
    this.#outbox.putBack(taken.slice(fit))
    return taken.slice(0, fit)
  }

  #send(
    id: string,
    set: ChangeSet,
    how: {
      readonly layer: PendingLayer | undefined
      readonly changes: Waiting['wire']['changes']
      readonly wire?: Partial<Waiting['wire']>
    },
  ): Promise<void> {
    const { label } = set
    const confirmed = new Promise<void>((resolve, refused) => {
      this.#outbox.add({
        id,
        changes: set,
        layer: how.layer,
        sent: false,
        wire: { id, changes: how.changes, ...(label !== undefined && { label }), ...how.wire },
        confirmed: resolve,
        refused,
      })
    })
    // Nobody need wait for it: a refusal is in rejected$.
    confirmed.catch(() => undefined)
    this.#pendingChanged()
    this.#flush()
    return confirmed
  }

  async confirm<Result>(
    run: () => Result,
    { label, retries }: { readonly label?: string | undefined; readonly retries: number },
  ): Promise<Result> {
    for (let attempt = 0; ; attempt++) {
      if (this.#closed) throw new StoreClosedError()
      const tried = this.#internals.tryOut(run, label)
      if (tried.changes.changes.length === 0) return tried.result
      try {
        await this.#send(crypto.randomUUID(), tried.changes, {
          layer: undefined,
          changes: toWire(tried.changes.changes, [], true),
          wire: {
            ifUnchanged: true,
            ...(this.#position !== undefined && { base: this.#position, reads: tried.reads }),
          },
        })
        return tried.result
      } catch (error) {
        if (!(error instanceof RejectedError) || error.rejection !== 'conflict' || attempt >= retries) throw error
      }
    }
  }

  #subscribe(sets: readonly SyncSet[]): SyncSubscription {
    const { id, ready } = this.#addSubscription(sets)
    const { wire } = this.#subscriptions.get(id)!
    if (this.#welcomed) this.#post({ type: 'subscribe', subscription: wire })
    return {
      ready,
      unsubscribe: () => {
        if (this.#subscriptions.delete(id) && this.#welcomed) this.#post({ type: 'unsubscribe', id })
      },
    }
  }

  #addSubscription(sets: readonly SyncSet[]): { readonly id: string; readonly ready: Promise<void> } {
    const id = String(this.#nextId++)
    const ready = new Promise<void>((resolve, refused) => {
      const wire = {
        id,
        sets: sets.map(({ table, where }) => ({ table, ...(where && { where: where as Record<string, unknown> }) })),
      }
      this.#subscriptions.set(id, { wire, ready: resolve, refused })
    })
    ready.catch(() => undefined)
    return { id, ready }
  }

  #post(message: Unnumbered): void {
    this.#transport.send(formatMessage({ ...message, n: this.#sent++ } as ClientMessage))
  }

  #becomeLive(): void {
    this.#keeper.settled()
    this.#setStatus({ state: 'live' })
  }

  #pendingChanged(): void {
    const { value } = this.#status$
    if (value.pending !== this.#outbox.size) this.#setStatus(value)
  }

  #setStatus(status: Omit<SyncStatus, 'pending'>): void {
    if (this.#closed) return
    this.#status$.next(Object.freeze({ ...status, pending: this.#outbox.size }))
  }

  #makeApi(): StoreSync {
    const client = this
    return {
      get status$(): Observable<SyncStatus> {
        return client.#status$.pipe(distinctUntilChanged())
      },
      get pending$(): Observable<readonly PendingTransaction[]> {
        return client.#outbox.pending$
      },
      get rejected$(): Observable<readonly RejectedTransaction[]> {
        return client.#rejections.list$
      },
      get sequence(): number {
        return client.#sequence
      },
      subscribe: (sets) => this.#subscribe(sets),
      presence: {
        set: (state) => {
          this.#presence = state
          if (this.#welcomed) this.#post({ type: 'presence', state })
        },
        get others$(): Observable<readonly PresenceOther[]> {
          return client.#others.list$
        },
      },
    }
  }
}

/** A message before it has its number. */
type Unnumbered = ClientMessage extends infer M ? (M extends ClientMessage ? Omit<M, 'n'> : never) : never

/** About how many characters changes take. */
function sizeOf(changes: Waiting['wire']['changes']): number {
  return changes.reduce((sum, { after }) => sum + 60 + 30 * Object.keys(after ?? {}).length, 0)
}

import { BehaviorSubject, distinctUntilChanged, throwError, type Observable } from 'rxjs'
import { keyId, type ChangeSet, type KeyId, type RowChange } from '../../changes/index.ts'
import { RejectedError, RowcastError, StoreClosedError } from '../../errors/index.ts'
import {
  decodeRecord,
  Journal,
  PendingLayer,
  PendingLayers,
  type Arrival,
  type Folded,
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
import type { CommitRecord, CommitRecordParts, SyncRecord } from './records.ts'
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
const RETRY_MS = 1_000

/** Codes after which trying again is of no use. */
const FINAL = new Set(['protocol-version', 'schema-version', 'unauthenticated', 'forbidden', 'unknown-database'])

/** Arrivals of more rows than this go into a snapshot rather than a record. */
const MANY_ROWS = 5_000

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
  #journal: Journal | undefined
  #closed = false

  constructor(internals: StoreInternals, transport: Transport, start: SyncStart, timers: Timers) {
    this.#internals = internals
    this.#layers = new PendingLayers(internals.engine)
    this.#transport = transport
    this.#database = start.database
    this.#status$ = new BehaviorSubject<SyncStatus>({ state: 'connecting', pending: 0 })
    this.#rejections = new Rejections({
      recommit: (changes, label) => internals.recommit(changes, label),
      dealt: (id) => this.#note({ type: 'dealt', id }),
    })
    this.#keeper = new ConnectionKeeper(transport, start.database, this, timers)
    this.#addSubscription(start.subscribe ?? [])
    if (start.kept) this.#restore(start.kept)
    this.api = this.#makeApi()
  }

  /** What was kept happens again, in its order, before there is any connection. */
  #restore({ session, contents }: NonNullable<SyncStart['kept']>): void {
    for (const bytes of contents.records) {
      const record = decodeRecord(bytes) as SyncRecord
      if (record.type === 'commit') this.#recall(record)
      else if (record.type === 'arrive') {
        const waiting = record.id === undefined ? undefined : this.#outbox.get(record.id)
        this.#layers.arrive(record.changes, waiting?.layer)
        if (waiting) this.#outbox.confirm(waiting)
        this.#position = record.position ?? this.#position
        this.#sequence = record.sequence
      } else if (record.type === 'known' || record.type === 'refused') {
        const waiting = this.#outbox.get(record.id)
        if (!waiting) continue
        if (waiting.layer) this.#layers.remove(waiting.layer)
        if (record.type === 'known') this.#outbox.confirm(waiting)
        else {
          this.#rejections.add({ id: record.id, changes: waiting.changes, code: record.code, reason: record.reason })
          this.#outbox.refuse(waiting, record.code, record.reason)
        }
      } else if (record.type === 'rejection') this.#rejections.add(record)
      else this.#rejections.forget(record.id)
    }
    this.#journal = new Journal(session, contents, () => this.#fold())
    if (!contents.snapshot) this.#journal.foldSoon()
    this.#pendingChanged()
  }

  /** A transaction that was not confirmed when the store was closed. Where it does not fit any more it waits unseen. */
  #recall({ id, set, wire }: CommitRecord): void {
    const layer = new PendingLayer(id, set.label)
    try {
      this.#layers.add(layer, this.#internals.repeat(wire.changes))
    } catch (error) {
      if (!(error instanceof RowcastError)) throw error
      layer.evicted = true
    }
    this.#enter({ id, set, wire, layer })
  }

  #fold(): Folded {
    const records: SyncRecord[] = [
      { type: 'arrive', changes: [], position: this.#position, sequence: this.#sequence },
      ...this.#rejections.list.map(({ id, changes, code, reason }): SyncRecord => ({
        type: 'rejection',
        id,
        changes,
        code,
        reason,
      })),
      ...this.#outbox
        .all()
        .flatMap(({ id, changes: set, wire, layer }): SyncRecord[] =>
          layer ? [{ type: 'commit', id, set, wire }] : [],
        ),
    ]
    return { snapshot: this.#internals.exportFile(this.#layers), records }
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

  async saved(): Promise<void> {
    await this.#journal?.saved()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    const kept = this.#journal?.close()
    this.#closed = true
    this.#keeper.stop()
    this.#outbox.close()
    this.#rejections.close()
    this.#others.close()
    this.#status$.next({ state: 'closed', pending: this.#outbox.size })
    this.#status$.complete()
    await kept
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
    try {
      this.#handle(message)
    } catch (error) {
      // Whatever it was, this copy can't be trusted any more: it is told, and everything is fetched anew.
      throwError(() => error).subscribe()
      this.#position = undefined
      this.#setStatus({
        state: 'offline',
        reason: 'a message could not be taken in: fetching everything anew',
        code: 'internal',
      })
      this.#keeper.reconnect(RETRY_MS)
    }
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
        this.#note({ type: 'known', id: message.id })
        this.#outbox.confirm(waiting)
        this.#pendingChanged()
        this.#flush()
        break
      }
      case 'refused':
        this.#takeRefusal(message.id, message.code, message.reason)
        break
      case 'unsubscribed':
        this.#arrive(
          message.gone.map(([table, key]) => ({ table, key, op: 'delete' })),
          message.position,
        )
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
      this.#sequence = message.sequence ?? this.#sequence
      this.#arrive([...this.#missing(all), ...all], position)
      for (const { ready } of this.#subscriptions.values()) ready()
    } else {
      this.#partial.delete(subscription)
      this.#sequence = message.sequence ?? this.#sequence
      this.#arrive(all, position)
      this.#subscriptions.get(subscription)?.ready()
    }
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
    this.#sequence = sequence ?? this.#sequence
    for (const [n, { id, changes }] of commits.entries()) {
      const waiting = id === undefined ? undefined : this.#outbox.get(id)
      // The copy is up to the position once all of them are in.
      this.#arrive(changes ?? waiting?.wire.changes ?? [], n === commits.length - 1 ? position : undefined, waiting)
      if (waiting) this.#outbox.confirm(waiting)
    }
    if (commits.length === 0) this.#arrive([], position)
    this.#pendingChanged()
    this.#flush()
  }

  /** What the server has confirmed, and what the copy is up to with it. */
  #arrive(changes: readonly Arrival[], position: string | undefined, waiting?: Waiting): void {
    this.#layers.arrive(changes, waiting?.layer)
    this.#position = position ?? this.#position
    if (changes.length > MANY_ROWS) this.#journal?.foldSoon()
    else
      this.#note({
        type: 'arrive',
        changes,
        ...(waiting && { id: waiting.id }),
        ...(position !== undefined && { position }),
        sequence: this.#sequence,
      })
  }

  #note(record: SyncRecord): void {
    this.#journal?.note(record)
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
      this.#note({ type: 'refused', id, code, reason })
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
    const wire = { id, changes: how.changes, ...(label !== undefined && { label }), ...how.wire }
    if (how.layer) this.#note({ type: 'commit', id, set, wire })
    const confirmed = this.#enter({ id, set, wire, layer: how.layer })
    this.#pendingChanged()
    this.#flush()
    return confirmed
  }

  #enter(one: CommitRecordParts & { readonly layer: PendingLayer | undefined }): Promise<void> {
    const { id, set, wire, layer } = one
    const confirmed = new Promise<void>((resolve, refused) => {
      this.#outbox.add({ id, changes: set, layer, sent: false, wire, confirmed: resolve, refused })
    })
    // Nobody need wait for it: a refusal is in rejected$.
    confirmed.catch(() => undefined)
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

import { randomUUID } from 'node:crypto'
import {
  equalValues,
  serializeValue,
  squash,
  type Cells,
  type CellValue,
  type ChangeSet,
  type RowChange,
} from '../changes/index.ts'
import { FilterError, internals, transitionsOf, type RowTransition } from '../store/index.ts'
import { NotFoundError, RowcastError } from '../errors/index.ts'
import {
  isDeeper,
  MalformedMessageError,
  parseClientMessage,
  PROTOCOL_VERSION,
  type ClientMessage,
  type ClosingCode,
  type ConnectionHandler,
  type HelloMessage,
  type ServerConnection,
  type WireChange,
  type WireCommit,
  type WireTransaction,
} from '../transport/index.ts'
import { nameOf, type Access, type User } from './access.ts'
import type { Committed, Decided, Listener } from './decided.ts'
import type { LiveDatabase } from './live-database.ts'
import { commitsText } from './commits-text.ts'
import { Outgoing } from './outgoing.ts'
import { rowsTexts } from './rows-text.ts'
import type { PresenceTold } from './presence.ts'
import { Viewer } from './viewer.ts'
import { visiblePresence } from './visible-presence.ts'

/** What a session needs of the server. */
export interface SessionHost {
  /** Who it is, by what `hello` brings. Throws RowcastError to refuse. */
  authenticate(hello: HelloMessage): Promise<User | undefined>
  /** Opens a database for someone. Throws NotFoundError, ForbiddenError. The lease keeps it open. */
  open(
    database: string,
    user: User | undefined,
  ): Promise<{ readonly database: LiveDatabase; readonly release: () => void }>
  access(database: LiveDatabase, user: User | undefined): Access
  readonly schemaVersion: number
  readonly limits: SessionLimits
  report(error: unknown): void
}

export interface SessionLimits {
  /** Characters of one message. */
  readonly messageBytes: number
  /** Transactions of one connection that wait to be decided. */
  readonly transactions: number
  /** Characters that wait for a slow reader, before it is told to come back for a fresh copy. */
  readonly buffered: number
  /** Entries of the log that are sent one by one to who comes back; beyond, everything is sent anew. */
  readonly catchUp: number
}

/** Messages that wait to be handled; more is a flood. */
const MAX_UNHANDLED = 1_000
const RETRY_MS = 500
/** Subscriptions of a connection. */
const MAX_SUBSCRIPTIONS = 256
const LONGEST_TIMER_MS = 2 ** 31 - 1
/** How long a connection may take to say hello. */
const HELLO_MS = 10_000
/** What one may say of oneself: characters, and levels of nesting. */
const MAX_STATE = 64 * 1024
const MAX_STATE_DEPTH = 32
/** Others of one message. */
const MAX_OTHERS = 50
/** Characters of a reason. */
const MAX_REASON = 2_000

/** One connection: what it said, what it sees, and what it has been told. */
export class Session implements ConnectionHandler, Listener {
  readonly id: string = randomUUID()
  readonly #host: SessionHost
  readonly #connection: ServerConnection
  #received = 0
  readonly #out: Outgoing
  readonly #helloTimer: NodeJS.Timeout
  #unhandled = 0
  #waiting = 0
  /** Messages are handled one after the other. */
  #tail: Promise<void> = Promise.resolve()
  #live:
    | {
        readonly database: LiveDatabase
        readonly access: Access
        readonly viewer: Viewer
        readonly by: string | undefined
        readonly leave: () => void
      }
    | undefined
  #closed = false

  constructor(host: SessionHost, connection: ServerConnection) {
    this.#host = host
    this.#connection = connection
    this.#helloTimer = setTimeout(() => this.end('unauthenticated', 'no hello came'), HELLO_MS).unref()
    this.#out = new Outgoing(connection, host.limits.buffered, () =>
      this.end('too-slow', 'too much is waiting to be read: connect again for what is missing', {
        retryAfterMs: RETRY_MS,
      }),
    )
  }

  receive(text: string): void {
    if (this.#closed) return
    const { messageBytes } = this.#host.limits
    if (text.length > messageBytes) {
      this.end('too-large', `a message of ${text.length} characters: ${messageBytes} are allowed`)
      return
    }
    let message: ClientMessage
    try {
      message = parseClientMessage(text)
    } catch (error) {
      this.end('malformed', error instanceof MalformedMessageError ? error.message : 'it can not be read')
      return
    }
    if (message.n !== this.#received++) {
      this.end('out-of-order', `message ${message.n} came where ${this.#received - 1} was due`, { retryAfterMs: 0 })
      return
    }
    if (++this.#unhandled > MAX_UNHANDLED) {
      this.end('flood', `more than ${MAX_UNHANDLED} messages are waiting: send fewer at once`, {
        retryAfterMs: RETRY_MS,
      })
      return
    }
    this.#tail = this.#tail
      .then(() => this.#handle(message))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#unhandled--)
  }

  closed(): void {
    if (this.#closed) return
    this.#closed = true
    this.#out.close()
    this.#leave()
  }

  /** Ends the connection, saying why. */
  end(code: ClosingCode, reason: string, options: { retryAfterMs?: number; reload?: boolean } = {}): void {
    if (this.#closed) return
    this.#closed = true
    this.#out.end({ type: 'closing', code, reason: reason.slice(0, MAX_REASON), ...options })
    this.#leave()
    this.#connection.close(code === 'shutting-down' ? 1001 : 4000, code)
  }

  /** Told by the database, in order. */
  decided({ committed, outcomes }: Decided): void {
    if (this.#closed || !this.#live) return
    // In the order in which they were decided: a verdict may rest on the one before.
    let told = 0
    for (const { author, id, outcome, before } of outcomes) {
      if (author !== this || outcome.kind === 'committed') continue
      if (before > told) this.#tell(committed.slice(told, before))
      told = before
      if (outcome.kind === 'refused')
        this.#send({ type: 'refused', id, code: outcome.code, reason: outcome.reason.slice(0, MAX_REASON) })
      else this.#send({ type: 'known', id })
    }
    if (told < committed.length) this.#tell(told === 0 ? committed : committed.slice(told))
  }

  #tell(committed: readonly Committed[]): void {
    // What was told before may have been too much.
    if (!this.#live) return
    const { database, viewer } = this.#live
    const mine = committed.some(({ author }) => author === this)
    if (viewer.seesAll && !mine) {
      this.#out.sendText(
        commitsText(committed, () => database.positions.encode(committed.at(-1)!.sequence, viewer.view)),
      )
      return
    }
    const commits = committed.flatMap((one): WireCommit[] => {
      const own = one.author === this
      const changes = this.#visible(one.transitions)
      if (!own && changes.length === 0) return []
      const { id, label, by } = one.record
      const asSent = own && isAsSent(one.sent!, changes)
      return [
        {
          ...(own && id !== undefined && { id }),
          ...(label !== undefined && !own && { label }),
          ...(by !== undefined && !own && { by }),
          ...(!asSent && { changes }),
        },
      ]
    })
    if (commits.length > 0) this.#sendCommits(commits, committed.at(-1)!.sequence)
  }

  #visible(transitions: readonly RowTransition[]): WireChange[] {
    const { viewer } = this.#live!
    return transitions.map((transition) => viewer.change(transition)).filter((change) => change !== undefined)
  }

  async #handle(message: ClientMessage): Promise<void> {
    if (this.#closed) return
    if (message.type === 'hello') {
      clearTimeout(this.#helloTimer)
      if (this.#live) this.end('malformed', "a second 'hello'")
      else await this.#hello(message)
      return
    }
    const live = this.#live
    if (!live) {
      this.end('unauthenticated', `'${message.type}' came before 'hello'`)
      return
    }
    switch (message.type) {
      case 'ping':
        this.#send({ type: 'pong' })
        break
      case 'transact':
        this.#transact(message.transactions)
        break
      case 'subscribe':
        await live.database.run(() =>
          this.#subscribe(message.subscription.id, () => live.viewer.add(message.subscription)),
        )
        break
      case 'unsubscribe':
        await live.database.run(() => this.#unsubscribe(message.id))
        break
      case 'presence':
        if (isDeeper(message.state, MAX_STATE_DEPTH) || serializeValue(message.state).length > MAX_STATE)
          this.end('too-large', `a presence of more than ${MAX_STATE} characters or ${MAX_STATE_DEPTH} levels`)
        else live.database.presence.set(this, message.state)
        break
    }
  }

  async #hello(hello: HelloMessage): Promise<void> {
    if (hello.protocol !== PROTOCOL_VERSION) {
      this.end('protocol-version', `this server speaks protocol ${PROTOCOL_VERSION}, not ${hello.protocol}`, {
        reload: true,
      })
      return
    }
    const { schemaVersion } = this.#host
    if (hello.schemaVersion !== schemaVersion) {
      const older = hello.schemaVersion < schemaVersion
      this.end(
        'schema-version',
        `the server's schema is version ${schemaVersion}, the client's ${hello.schemaVersion}: ${older ? 'load the newer application' : 'the server is to be brought up to date'}`,
        older ? { reload: true } : { retryAfterMs: 10_000 },
      )
      return
    }
    const user = await this.#host.authenticate(hello)
    const { database, release } = await this.#host.open(hello.database, user)
    if (this.#isClosed()) {
      release()
      return
    }
    try {
      await database.run(() => this.#enter(hello, database, user, release))
    } catch (error) {
      if (!this.#live) release()
      throw error
    }
  }

  /** Between transactions: what is sent, and what is told from then on, fit together. */
  async #enter(
    hello: HelloMessage,
    database: LiveDatabase,
    user: User | undefined,
    release: () => void,
  ): Promise<void> {
    const access = this.#host.access(database, user)
    const viewer = new Viewer(database.store, access)
    for (const subscription of hello.subscriptions) {
      if (viewer.has(subscription.id)) throw new NotFoundError(`a second subscription '${subscription.id}'`)
      viewer.add(subscription)
    }
    const since = hello.position === undefined ? undefined : database.positions.decode(hello.position, viewer.view)
    const missed = since === undefined ? undefined : await this.#missed(database, since)
    if (this.#isClosed()) {
      release()
      return
    }
    const stop = database.listen(this)
    const expiry = this.#expire(user)
    this.#live = {
      database,
      access,
      viewer,
      by: nameOf(user),
      leave: () => {
        clearTimeout(expiry)
        stop()
        database.presence.leave(this)
        release()
      },
    }
    const { messageBytes, transactions } = this.#host.limits
    this.#send({
      type: 'welcome',
      protocol: PROTOCOL_VERSION,
      session: this.id,
      reset: missed === undefined,
      limits: { messageBytes, transactions },
    })
    if (missed === undefined) this.#sendRows(undefined)
    else {
      const changes = this.#visible(transitionsOf(internals(database.store).engine, missed))
      if (changes.length > 0) this.#sendCommits([{ changes }], database.sequence)
    }
    database.presence.enter(this, nameOf(user))
  }

  /** A token is good for as long as it says: then a fresh one is needed. */
  #expire(user: User | undefined): NodeJS.Timeout | undefined {
    const expires: unknown = user?.['exp']
    if (typeof expires !== 'number') return undefined
    const left = expires * 1000 - Date.now()
    // Longer than a timer can wait: no connection lasts so long.
    if (left > LONGEST_TIMER_MS) return undefined
    // Whoever checks tokens may let one pass that has just expired: a while, so that it is not in vain at once.
    const end = (): void => this.end('unauthenticated', 'the token has expired', { retryAfterMs: RETRY_MS })
    return setTimeout(end, Math.max(left, 0)).unref()
  }

  /** What has changed since a sequence number, net; `undefined` where that is too much, or no longer known. */
  async #missed(database: LiveDatabase, since: number): Promise<readonly RowChange[] | undefined> {
    if (since === database.sequence) return []
    if (since > database.sequence || database.sequence - since > this.#host.limits.catchUp) return undefined
    const sets: ChangeSet[] = []
    try {
      for await (const { sequence, record } of database.history(since + 1, database.sequence - since)) {
        if (sequence > database.sequence) break
        // Too much has changed at once.
        if (record.kind === 'part') return undefined
        sets.push({ changes: record.changes, origin: 'remote' })
      }
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      throw error
    }
    return squash(sets).changes
  }

  #transact(transactions: readonly WireTransaction[]): void {
    const { database, access, viewer, by } = this.#live!
    if (this.#waiting + transactions.length > this.#host.limits.transactions) {
      this.end('flood', `more than ${this.#host.limits.transactions} transactions are waiting: send fewer at once`, {
        retryAfterMs: RETRY_MS,
      })
      return
    }
    this.#waiting += transactions.length
    for (const transaction of transactions) {
      const base = transaction.base === undefined ? undefined : database.positions.decode(transaction.base, viewer.view)
      database
        .submit(transaction, { access, author: this, by, base })
        .finally(() => this.#waiting--)
        .catch((error: unknown) => this.#fail(error))
    }
  }

  #subscribe(id: string, add: () => void): void {
    // It may have closed while it waited for its turn.
    if (!this.#live) return
    const { viewer } = this.#live
    if (viewer.has(id) || viewer.size >= MAX_SUBSCRIPTIONS) {
      this.end(
        'malformed',
        viewer.has(id) ? `a second subscription '${id}'` : `more than ${MAX_SUBSCRIPTIONS} subscriptions`,
      )
      return
    }
    try {
      add()
    } catch (error) {
      if (!(error instanceof NotFoundError) && !(error instanceof FilterError)) throw error
      this.#send({ type: 'refused', id, code: 'not-found', reason: error.message })
      return
    }
    this.#sendRows(id)
  }

  #unsubscribe(id: string): void {
    if (!this.#live) return
    const { viewer, database } = this.#live
    if (!viewer.has(id)) return
    const gone = [...viewer.keysOnlyIn(id)]
    viewer.remove(id)
    this.#send({ type: 'unsubscribed', id, gone, position: database.positions.encode(database.sequence, viewer.view) })
  }

  #sendRows(subscription: string | undefined): void {
    const { database, viewer } = this.#live!
    const make = (): string[] => {
      const { sequence } = database
      const position = database.positions.encode(sequence, viewer.view)
      return rowsTexts(viewer.rows(subscription), { position, ...this.#sequence(sequence) }, subscription)
    }
    // Many who come at once get the same.
    this.#out.stream(subscription === undefined && viewer.seesAll ? database.wholeText(make) : make())
  }

  #sendCommits(commits: readonly WireCommit[], sequence: number): void {
    const { database, viewer } = this.#live!
    const position = database.positions.encode(sequence, viewer.view)
    this.#send({ type: 'commits', commits, position, ...this.#sequence(sequence) })
  }

  /** The number itself is for those who see everything: its gaps would tell the others of what they don't see. */
  #sequence(sequence: number): { sequence?: number } {
    return this.#live!.access.unrestricted ? { sequence } : {}
  }

  #send(message: { readonly type: string; readonly [property: string]: unknown }): void {
    if (!this.#closed) this.#out.send(message)
  }

  sendPresence(given: readonly PresenceTold[]): void {
    if (this.#closed || !this.#live) return
    const { access, viewer } = this.#live
    // Rows that may not be seen are not spoken of either.
    const others = access.unrestricted
      ? given
      : given.map((one) => ({ ...one, state: visiblePresence(one.state as CellValue, viewer) }))
    if (others.length <= MAX_OTHERS) this.#send({ type: 'presence', others })
    else {
      const parts: string[] = []
      for (let at = 0; at < others.length; at += MAX_OTHERS)
        parts.push(serializeValue({ type: 'presence', others: others.slice(at, at + MAX_OTHERS) }).slice(1))
      this.#out.stream(parts, { unasked: true })
    }
  }

  #isClosed(): boolean {
    return this.#closed
  }

  #leave(): void {
    clearTimeout(this.#helloTimer)
    this.#live?.leave()
    this.#live = undefined
  }

  #fail(error: unknown): void {
    if (error instanceof RowcastError) {
      const code = CLOSING[String(error.code)]
      if (code) {
        this.end(code, error.message, code === 'shutting-down' ? { retryAfterMs: RETRY_MS } : {})
        return
      }
      if (error instanceof FilterError || error instanceof NotFoundError) {
        this.end('malformed', error.message)
        return
      }
    }
    this.#host.report(error)
    this.end('internal', 'the server failed', { retryAfterMs: RETRY_MS })
  }
}

const CLOSING: { readonly [code: string]: ClosingCode | undefined } = {
  unauthenticated: 'unauthenticated',
  forbidden: 'forbidden',
  'unknown-database': 'unknown-database',
  'database-name': 'unknown-database',
  closed: 'shutting-down',
}

/** Whether what became of a transaction is exactly what its author sent. */
function isAsSent(sent: WireTransaction, changes: readonly WireChange[]): boolean {
  if (sent.changes.length !== changes.length) return false
  const byPlace = new Map(
    sent.changes.map((change) => [`${change.table}\0${JSON.stringify(change.key, text)}`, change]),
  )
  return changes.every((change) => {
    const mine = byPlace.get(`${change.table}\0${JSON.stringify(change.key, text)}`)
    return mine?.op === change.op && sameCells(mine.after ?? {}, change.after ?? {})
  })
}

/** Exactly the same: a cell that is absent is another thing than one that is not named. */
function sameCells(a: Cells, b: Cells): boolean {
  return (
    Object.keys(a).length === Object.keys(b).length &&
    Object.keys(a).every((path) => Object.hasOwn(b, path)) &&
    equalValues(a, b)
  )
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

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
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  readClientMessage,
  type ClientMessage,
  type ClosingCode,
  type ConnectionHandler,
  type HelloMessage,
  type ServerConnection,
  type WireChange,
  type WireCommit,
  type WireTransaction,
} from '../transport/index.ts'
import type { Access, User } from './access.ts'
import { authorOf } from './author.ts'
import { budgetKey, CONTAINER_BYTES, type Budget, type Budgets } from './budgets.ts'
import { callAt } from './call-at.ts'
import type { Committed, Decided, Listener } from './decided.ts'
import type { Limits } from './limits.ts'
import type { LiveDatabase } from './live-database.ts'
import { commitsText } from './commits-text.ts'
import type { Point } from './history.ts'
import { TooDearError } from './filter-budget.ts'
import { Outgoing } from './outgoing.ts'
import { rowsTexts } from './rows-text.ts'
import type { PresenceMember } from './presence.ts'
import { MAX_REASON } from './refusals.ts'
import type { Strangers } from './strangers.ts'
import { toldOf } from './told.ts'
import type { Unread } from './unread.ts'
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
  /** The only database that this connection is for, where its address names one. */
  readonly database: string | undefined
  readonly schemaVersion: number
  readonly limits: Limits
  readonly budgets: Budgets
  readonly strangers: Strangers
  readonly unread: Unread
  report(error: unknown): void
}

/** Messages that wait to be handled; more is a flood. */
const MAX_UNHANDLED = 1_000
const RETRY_MS = 500
/** How long a connection may take to say hello. */
const HELLO_MS = 10_000
/** Levels of nesting of what one may say of oneself. */
const MAX_STATE_DEPTH = 32
/** The version of the protocol from which on a client knows of the code `unavailable`. */
const UNAVAILABLE_SINCE = 4

/** One connection: what it said, what it sees, and what it has been told. */
export class Session implements ConnectionHandler, Listener, PresenceMember {
  readonly id: string = randomUUID()
  readonly #host: SessionHost
  readonly #connection: ServerConnection
  #received = 0
  readonly #out: Outgoing
  readonly #helloTimer: NodeJS.Timeout
  readonly #address: string | undefined
  /** Whose it is: its address's until it is known who it is. */
  #owner: string
  #budget: Budget
  #isKnown = false
  /** Bytes that came before it was known. */
  #early = 0
  readonly #leaveStrangers: () => void
  /** Gives back what it took as a connection. */
  #giveBack: (() => void) | undefined
  #unhandled = 0
  /** What has come and is not dealt with, in bytes. */
  #waitingBytes = 0
  #waiting = 0
  #presenceBytes = 0
  /** Messages are handled one after the other. */
  #tail: Promise<void> = Promise.resolve()
  #live:
    | {
        readonly database: LiveDatabase
        readonly access: Access
        readonly viewer: Viewer
        readonly leave: () => void
      }
    | undefined
  #closed = false
  /** The version that the client speaks: before it has said so, the oldest. */
  #protocol = OLDEST_PROTOCOL_VERSION
  #user: User | undefined

  constructor(host: SessionHost, connection: ServerConnection, address?: string) {
    this.#host = host
    this.#connection = connection
    this.#address = address
    this.#owner = this.#keyOf(undefined)
    this.#budget = host.budgets.of(this.#owner)
    this.#helloTimer = setTimeout(() => {
      // It may only be slow: it has to make its token first.
      this.end('unauthenticated', 'no hello came', { retryAfterMs: RETRY_MS })
    }, HELLO_MS).unref()
    this.#out = new Outgoing(connection, {
      limit: host.limits.buffered,
      isTooMuch: () => host.unread.isTooMuch(this.#owner, this.#out),
      tooSlow: () =>
        this.end('too-slow', 'too much is waiting to be read: connect again for what is missing', {
          retryAfterMs: RETRY_MS,
        }),
    })
    this.#leaveStrangers = host.strangers.enter(this, address)
  }

  /** The longest message that it takes now: only a little before it is known who it is. */
  get allowedBytes(): number {
    const { messageBytes, helloBytes } = this.#host.limits
    return this.#isKnown ? messageBytes : Math.min(messageBytes, helloBytes - this.#early)
  }

  tooLarge(): void {
    const { messageBytes, helloBytes } = this.#host.limits
    const allowed = this.#isKnown
      ? `${messageBytes} bytes are allowed`
      : `${Math.min(messageBytes, helloBytes)} bytes are allowed before hello is accepted`
    this.end('too-large', `a message is too large: ${allowed}`)
  }

  /** Too many have come that say no hello. */
  giveWay(): void {
    this.end('flood', 'too many connections have not said hello', { retryAfterMs: RETRY_MS })
  }

  receive(text: string): void {
    if (this.#closed) return
    const bytes = Buffer.byteLength(text)
    if (bytes > this.allowedBytes) {
      this.tooLarge()
      return
    }
    if (!this.#isKnown) this.#early += bytes
    let message: ClientMessage
    let containers: number
    try {
      ;({ message, containers } = readClientMessage(text))
    } catch (error) {
      this.end('malformed', error instanceof MalformedMessageError ? error.message : 'it can not be read')
      return
    }
    if (message.n !== this.#received++) {
      this.end('out-of-order', `message ${message.n} came where ${this.#received - 1} was due`, { retryAfterMs: 0 })
      return
    }
    const release = this.#wait(bytes, bytes + containers * CONTAINER_BYTES)
    if (!release) return
    const handled = this.#tail.then(() => this.#handle(message))
    this.#tail = handled
      .then(() => undefined)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#unhandled--)
    handled.then((work) => work?.settled).then(release, release)
  }

  /** Takes what a message needs until it is dealt with; the returned function gives it back. */
  #wait(bytes: number, memory: number): (() => void) | undefined {
    const budget = this.#budget
    const { waitingBytes } = this.#host.limits
    if (++this.#unhandled > MAX_UNHANDLED) return this.#flood(`more than ${MAX_UNHANDLED} messages are waiting`)
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > waitingBytes)
      return this.#flood(`more than ${waitingBytes} bytes are waiting`)
    if (!budget.take('waitingBytes', bytes)) return this.#flood('too much of one user is waiting')
    if (!budget.take('memoryBytes', memory)) {
      budget.release('waitingBytes', bytes)
      return this.#flood('too much is waiting')
    }
    this.#waitingBytes += bytes
    return () => {
      this.#waitingBytes -= bytes
      budget.release('waitingBytes', bytes)
      budget.release('memoryBytes', memory)
    }
  }

  #flood(what: string): undefined {
    this.end('flood', `${what}: send fewer at once`, { retryAfterMs: RETRY_MS })
  }

  closed(): void {
    this.#giveBack?.()
    this.#giveBack = undefined
    if (this.#closed) return
    this.#closed = true
    this.#out.close()
    this.#leave()
  }

  /** Who it is, once that is known. */
  get user(): User | undefined {
    return this.#user
  }

  /** Ends the connection, saying why. */
  end(code: ClosingCode, reason: string, options: { retryAfterMs?: number; reload?: boolean } = {}): void {
    if (this.#closed) return
    this.#closed = true
    const told = code === 'unavailable' && this.#protocol < UNAVAILABLE_SINCE ? 'internal' : code
    this.#out.end({ type: 'closing', code: told, reason: reason.slice(0, MAX_REASON), ...options })
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
      this.#out.sendText(commitsText(committed, () => database.positions.encode(committed.at(-1)!, viewer.view)))
      return
    }
    const commits = committed.flatMap((one): WireCommit[] => {
      const own = one.author === this
      const changes = this.#visible(one.transitions)
      if (!own && changes.length === 0) return []
      const { id, label, by, name } = one.record
      const asSent = own && isAsSent(one.sent!, changes)
      return [
        {
          ...(own && id !== undefined && { id }),
          ...(label !== undefined && !own && { label }),
          ...(by !== undefined && !own && { by }),
          ...(name !== undefined && !own && { name }),
          ...(!asSent && { changes }),
        },
      ]
    })
    if (commits.length > 0) this.#sendCommits(commits, committed.at(-1)!)
  }

  #visible(transitions: readonly RowTransition[]): WireChange[] {
    const { viewer } = this.#live!
    return transitions.map((transition) => viewer.change(transition)).filter((change) => change !== undefined)
  }

  /** What is still to be waited for is in the result: messages behind it need not. */
  async #handle(message: ClientMessage): Promise<{ readonly settled: Promise<unknown> } | undefined> {
    if (this.#closed) return undefined
    if (message.type === 'hello') {
      clearTimeout(this.#helloTimer)
      if (this.#live) this.end('malformed', "a second 'hello'")
      else await this.#hello(message)
      return undefined
    }
    const live = this.#live
    if (!live) {
      this.end('unauthenticated', `'${message.type}' came before 'hello'`)
      return undefined
    }
    switch (message.type) {
      case 'ping':
        this.#send({ type: 'pong' })
        break
      case 'transact':
        return { settled: this.#transact(message.transactions) }
      case 'subscribe':
        await live.database.run(() =>
          this.#subscribe(message.subscription.id, () => live.viewer.add(message.subscription)),
        )
        break
      case 'unsubscribe':
        await live.database.run(() => this.#unsubscribe(message.id))
        break
      case 'presence':
        this.#say(live.database, message.state as CellValue)
        break
    }
    return undefined
  }

  /** What is more than its user, or all here, may say of themselves is not told: the others go on seeing what was said before. */
  #say(database: LiveDatabase, state: CellValue): void {
    const { presenceBytes } = this.#host.limits
    const text = isDeeper(state, MAX_STATE_DEPTH) ? undefined : serializeValue(state)
    const bytes = text === undefined ? Infinity : Buffer.byteLength(text)
    if (text === undefined || bytes > presenceBytes) {
      this.end('too-large', `a presence of more than ${presenceBytes} bytes or ${MAX_STATE_DEPTH} levels`)
      return
    }
    const more = bytes - this.#presenceBytes
    if (more > 0 && !this.#budget.take('presenceBytes', more)) return
    if (more < 0) this.#budget.release('presenceBytes', -more)
    if (database.presence.set(this, state, text)) this.#presenceBytes = bytes
    else if (more > 0) this.#budget.release('presenceBytes', more)
  }

  async #hello(hello: HelloMessage): Promise<void> {
    if (hello.protocol < OLDEST_PROTOCOL_VERSION || hello.protocol > PROTOCOL_VERSION) {
      this.end(
        'protocol-version',
        `this server speaks protocol ${OLDEST_PROTOCOL_VERSION} to ${PROTOCOL_VERSION}, not ${hello.protocol}`,
        { reload: true },
      )
      return
    }
    this.#protocol = hello.protocol
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
    const { database: bound } = this.#host
    if (bound !== undefined && bound !== hello.database) {
      this.end('malformed', `'hello' names the database '${hello.database}', the connection's address '${bound}'`)
      return
    }
    const user = await this.#host.authenticate(hello)
    this.#user = user
    if (!this.#know(user)) return
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

  /** From now on what it takes is its user's. `false` where that is too much, or it has ended. */
  #know(user: User | undefined): boolean {
    if (this.#closed) return false
    this.#owner = this.#keyOf(user)
    this.#budget = this.#host.budgets.of(this.#owner)
    if (!this.#budget.take('connections')) {
      this.end('flood', `one user has too many connections: ${this.#host.limits.connections} are allowed`, {
        retryAfterMs: RETRY_MS,
      })
      return false
    }
    const budget = this.#budget
    const leaveReaders = this.#host.unread.enter(this.#owner, this.#out)
    this.#giveBack = () => {
      budget.release('connections')
      leaveReaders()
    }
    this.#isKnown = true
    this.#leaveStrangers()
    return true
  }

  /** Of whom nothing is known, not even an address, each connection is by itself. */
  #keyOf(user: User | undefined): string {
    return budgetKey(user, this.#address) ?? `connection ${this.id}`
  }

  /** Between transactions: what is sent, and what is told from then on, fit together. */
  async #enter(
    hello: HelloMessage,
    database: LiveDatabase,
    user: User | undefined,
    release: () => void,
  ): Promise<void> {
    const access = this.#host.access(database, user)
    const viewer = new Viewer(database.store, access, this.#host.limits.filters)
    const tooDear: { readonly id: string; readonly reason: string }[] = []
    for (const subscription of hello.subscriptions) {
      if (viewer.has(subscription.id)) throw new NotFoundError(`a second subscription '${subscription.id}'`)
      try {
        viewer.add(subscription)
      } catch (error) {
        if (!(error instanceof TooDearError)) throw error
        tooDear.push({ id: subscription.id, reason: error.message })
      }
    }
    // Where not all that was asked for is there, the copy is sent: nobody takes what there was for the whole of it.
    const given = tooDear.length > 0 ? undefined : hello.position
    const since = given === undefined ? undefined : database.positions.decode(given, viewer.view)
    const missed = since === undefined ? undefined : await this.#missed(database, since)
    if (this.#isClosed()) {
      release()
      return
    }
    if (!this.#budget.take('subscriptions', viewer.size)) {
      this.end('flood', 'one user has too many subscriptions', { retryAfterMs: RETRY_MS })
      release()
      return
    }
    const stop = database.listen(this)
    const stopExpiry = this.#expire(user)
    this.#live = {
      database,
      access,
      viewer,
      leave: () => {
        stopExpiry()
        stop()
        database.presence.leave(this)
        this.#budget.release('subscriptions', viewer.size)
        this.#budget.release('presenceBytes', this.#presenceBytes)
        release()
      },
    }
    const { messageBytes, transactions } = this.#host.limits
    this.#send({
      type: 'welcome',
      protocol: this.#protocol,
      session: this.id,
      reset: missed === undefined,
      limits: { messageBytes, transactions },
    })
    for (const { id, reason } of tooDear) this.#send({ type: 'refused', id, code: 'too-large', reason })
    if (missed === undefined) this.#sendRows(undefined)
    else {
      const changes = viewer.changes(transitionsOf(internals(database.store).engine, missed))
      if (changes.length > 0) this.#sendCommits([{ changes }], database.point)
    }
    database.presence.enter(this, authorOf(user))
  }

  /** A token is good for as long as it says: then a fresh one is needed. */
  #expire(user: User | undefined): () => void {
    const expires: unknown = user?.['exp']
    if (typeof expires !== 'number') return () => undefined
    // Whoever checks tokens may let one pass that has just expired: a while, so that it is not in vain at once.
    const end = (): void => this.end('unauthenticated', 'the token has expired', { retryAfterMs: RETRY_MS })
    return callAt(expires * 1000, end)
  }

  /**
   * What has changed since a point, net; `undefined` where that is too much, or no longer known, or where the point is of
   * another history than the database.
   */
  async #missed(database: LiveDatabase, point: Point): Promise<readonly RowChange[] | undefined> {
    const { sequence: since, digest } = point
    if ((await database.pointAt(since))?.digest !== digest) return undefined
    if (since === database.sequence) return []
    if (database.sequence - since > this.#host.limits.catchUp) return undefined
    const sets: ChangeSet[] = []
    try {
      for await (const { sequence, record } of database.history(since + 1, database.sequence - since)) {
        if (sequence > database.sequence) break
        sets.push({ changes: record.changes, origin: 'remote' })
      }
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      throw error
    }
    return squash(sets).changes
  }

  #transact(transactions: readonly WireTransaction[]): Promise<unknown> {
    const { database, access, viewer } = this.#live!
    const budget = this.#budget
    const { length } = transactions
    const most = this.#host.limits.transactions
    if (this.#waiting + length > most || !budget.take('transactions', length)) {
      this.#flood(`more than ${most} transactions are waiting, or too many of one user`)
      return Promise.resolve()
    }
    this.#waiting += length
    const settled = transactions.map((transaction) => {
      const base = transaction.base === undefined ? undefined : database.positions.decode(transaction.base, viewer.view)
      return database
        .submit(transaction, { access, author: this, base })
        .finally(() => {
          this.#waiting--
          budget.release('transactions')
        })
        .catch((error: unknown) => this.#fail(error))
    })
    return Promise.all(settled)
  }

  #subscribe(id: string, add: () => void): void {
    // It may have closed while it waited for its turn.
    if (!this.#live) return
    const { viewer, access } = this.#live
    const { subscriptions } = this.#host.limits
    if (viewer.has(id) || viewer.size >= subscriptions) {
      this.end(
        'malformed',
        viewer.has(id) ? `a second subscription '${id}'` : `more than ${subscriptions} subscriptions`,
      )
      return
    }
    if (!this.#budget.take('subscriptions')) {
      this.#flood('one user has too many subscriptions')
      return
    }
    try {
      add()
    } catch (error) {
      this.#budget.release('subscriptions')
      const told = toldOf(error, access)
      if (!told) throw error
      this.#send({ type: 'refused', id, ...told })
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
    this.#budget.release('subscriptions')
    this.#send({ type: 'unsubscribed', id, gone, position: database.positions.encode(database.point, viewer.view) })
  }

  #sendRows(subscription: string | undefined): void {
    const { database, viewer } = this.#live!
    const make = (): string[] => {
      const { point } = database
      const position = database.positions.encode(point, viewer.view)
      return rowsTexts(viewer.rows(subscription), { position, ...this.#sequence(point.sequence) }, subscription)
    }
    // Many who come at once get the same.
    this.#out.stream(subscription === undefined && viewer.seesAll ? database.wholeText(make) : make())
  }

  #sendCommits(commits: readonly WireCommit[], point: Point): void {
    const { database, viewer } = this.#live!
    const position = database.positions.encode(point, viewer.view)
    this.#send({ type: 'commits', commits, position, ...this.#sequence(point.sequence) })
  }

  /** The number itself is for those who see everything: its gaps would tell the others of what they don't see. */
  #sequence(sequence: number): { sequence?: number } {
    return this.#live!.access.unrestricted ? { sequence } : {}
  }

  #send(message: { readonly type: string; readonly [property: string]: unknown }): void {
    if (!this.#closed) this.#out.send(message)
  }

  /** Whether it can be told of others now: they are told when there is room, as they are then. */
  get hasRoom(): boolean {
    return !this.#closed && this.#out.hasRoom
  }

  /** What someone says of themselves, without the rows that it may not see. `undefined` where it sees everything. */
  get shown(): ((state: CellValue) => CellValue) | undefined {
    if (!this.#live || this.#live.access.unrestricted) return undefined
    const { viewer } = this.#live
    return (state) => visiblePresence(state, viewer)
  }

  sendPresence(text: string): void {
    if (!this.#closed) this.#out.sendText(text)
  }

  #isClosed(): boolean {
    return this.#closed
  }

  #leave(): void {
    clearTimeout(this.#helloTimer)
    this.#leaveStrangers()
    this.#live?.leave()
    this.#live = undefined
  }

  #fail(error: unknown): void {
    if (error instanceof RowcastError) {
      const code = CLOSING[String(error.code)]
      if (code) {
        if (code === 'unavailable') this.#host.report(error)
        const passes = code === 'shutting-down' || code === 'unavailable'
        this.end(code, error.message, passes ? { retryAfterMs: RETRY_MS } : {})
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
  unavailable: 'unavailable',
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

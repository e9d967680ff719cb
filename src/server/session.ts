import { randomUUID } from 'node:crypto'
import { serializeValue, type CellValue } from '../changes/index.ts'
import { NotFoundError, RowcastError } from '../errors/index.ts'
import { FilterError, internals, transitionsOf } from '../store/index.ts'
import {
  isDeeper,
  OLDEST_PROTOCOL_VERSION,
  PartSender,
  PieceError,
  PROTOCOL_VERSION,
  type ClosingCode,
  type ConnectionHandler,
  type HelloMessage,
  type ServerConnection,
  type WireTransaction,
} from '../transport/index.ts'
import type { Access, User } from './access.ts'
import { authorOf } from './author.ts'
import { budgetKey, type Budget, type Budgets } from './budgets.ts'
import { callAt } from './call-at.ts'
import type { Decided, EndOptions, Listener } from './decided.ts'
import type { FairShare, Lane } from './fair-share.ts'
import { TooDearError, unreadablyDear } from './filter-budget.ts'
import { Incoming, type IncomingUser } from './incoming.ts'
import type { Limits } from './limits.ts'
import type { LiveDatabase } from './live-database.ts'
import { LogMovedError } from './log-errors.ts'
import { MissedSince } from './missed-since.ts'
import type { PresenceMember } from './presence.ts'
import { MAX_REASON } from './refusals.ts'
import type { Strangers } from './strangers.ts'
import { Telling, type Suspended } from './telling.ts'
import { toldOf } from './told.ts'
import type { Transfers } from './transfers.ts'
import type { Reader, Unread } from './unread.ts'
import { Viewer } from './viewer.ts'
import type { ReadMessage } from './read-message.ts'
import { visiblePresence } from './visible-presence.ts'

/** What a session needs of the server. */
export interface SessionHost {
  /** Whether people have to say who they are. */
  readonly authenticates: boolean
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
  readonly transfers: Transfers
  readonly share: FairShare
  report(error: unknown): void
}

/** Changes that wait to be decided before more is read. */
const MANY_CHANGES = 5_000
const RETRY_MS = 500
/** What can wait is sent while no more than this is waiting, in bytes. */
const ROOM_BYTES = 256 * 1024
/** How long a connection may take to say hello. */
const HELLO_MS = 10_000
/** Levels of nesting of what one may say of oneself. */
const MAX_STATE_DEPTH = 32
/** The version of the protocol from which on a client knows of the code `unavailable`, and when it is up to date. */
const FULL_PROTOCOL = 4
/** From which on it knows of numbered pieces, and of other servers. */
const NUMBERED_PIECES = 5

/** A session that has been let in. */
interface Entered {
  readonly database: LiveDatabase
  readonly access: Access
  readonly viewer: Viewer
  readonly telling: Telling
  readonly leave: () => void
}

/** One connection: what it said, what it sees, and what it has been told. */
export class Session implements ConnectionHandler, Listener, PresenceMember, Reader {
  readonly id: string = randomUUID()
  readonly #host: SessionHost
  readonly #connection: ServerConnection
  readonly #incoming: Incoming
  readonly #lane: Lane
  readonly #sender: PartSender
  readonly #helloTimer: NodeJS.Timeout
  readonly #address: string | undefined
  /** Whose it is: its address's until it is known who it is. */
  #owner: string
  #budget: Budget
  #isKnown = false
  readonly #leaveStrangers: () => void
  /** Gives back what it took as a connection. */
  #giveBack: (() => void) | undefined
  #waiting = 0
  #presenceBytes = 0
  /** Changes of its transactions that wait to be decided. */
  #undecided = 0
  /** What ends the pause of the connection while there are many of them. */
  #resume: (() => void) | undefined
  /** Changes of subscriptions that are not done yet, and the end of the last of them. */
  #changing = 0
  #changes: Promise<void> = Promise.resolve()
  #live: Entered | undefined
  #closed = false
  /** Whether the connection is closed from the other side, while what came by it may still be read. */
  #left = false
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
    this.#lane = host.share.lane(() => this.#owner)
    this.#incoming = new Incoming(this.#incomingUser())
    // Who has left is read to the end, and told nothing.
    const line = {
      send: (text: string): void => {
        if (!this.#left) connection.send(text)
      },
      get buffered(): number {
        return connection.buffered
      },
    }
    this.#sender = new PartSender(line, {
      idle: () => this.#live?.telling.idle(),
      failed: (error) => this.#fail(error),
    })
    this.#leaveStrangers = host.strangers.enter(this, address)
  }

  get allowedBytes(): number {
    return this.#incoming.allowedBytes
  }

  tooLarge(): void {
    this.#incoming.tooLarge()
  }

  hold(bytes: number): (() => void) | undefined {
    return this.#closed ? undefined : this.#incoming.hold(bytes)
  }

  /** Too many have come that say no hello. */
  giveWay(): void {
    this.end('flood', 'too many connections have not said hello', { retryAfterMs: RETRY_MS })
  }

  receive(frame: string): void {
    if (!this.#closed) this.#incoming.receive(frame)
  }

  #incomingUser(): IncomingUser {
    const budget = (): Budget => this.#budget
    const isKnown = (): boolean => this.#isKnown
    return {
      limits: this.#host.limits,
      lane: this.#lane,
      get budget() {
        return budget()
      },
      get isKnown() {
        return isKnown()
      },
      pause: () => this.#connection.pause?.() ?? (() => undefined),
      // Where nobody has to say who they are, hello is enough.
      greeted: () => this.#host.authenticates || this.#know(undefined),
      handle: (message) => this.#handle(message),
      received: (received) => this.#sender.urgent(textOf({ type: 'received', ...received })),
      end: (code, reason, options) => this.end(code, reason, options),
      failed: (error) => this.#fail(error),
    }
  }

  /** What it has sent before counts. */
  closed(): void {
    this.#left = true
    this.#incoming.afterAll(() => this.#gone())
  }

  #gone(): void {
    this.#giveBack?.()
    this.#giveBack = undefined
    if (this.#closed) return
    this.#closed = true
    this.#leave(true)
  }

  /** Who it is, once that is known. */
  get user(): User | undefined {
    return this.#user
  }

  /** Ends the connection, saying why. */
  end(code: ClosingCode, reason: string, { redirect, ...options }: EndOptions = {}): void {
    if (this.#closed) return
    this.#closed = true
    // Connections that share one stay together.
    const isSent = redirect !== undefined && this.#protocol >= NUMBERED_PIECES && this.#host.database !== undefined
    const told = code === 'unavailable' && this.#protocol < FULL_PROTOCOL ? 'internal' : code
    this.#sender.end(
      textOf({
        type: 'closing',
        code: told,
        reason: reason.slice(0, MAX_REASON),
        ...options,
        ...(isSent && { redirect }),
      }),
    )
    this.#leave(false)
    this.#connection.close(code === 'shutting-down' ? 1001 : 4000, code)
  }

  /** Told by the database, in order. */
  decided(decided: Decided): void {
    if (this.#closed || !this.#live) return
    this.#live.telling.decided(decided)
    this.#checkUnread()
  }

  // What waits to be read.

  get line(): object {
    return this.#connection.line ?? this.#connection
  }

  get buffered(): number {
    return this.#connection.buffered
  }

  get queued(): number {
    return this.#sender.queued
  }

  #checkUnread(): void {
    if (this.queued + this.buffered > this.#host.limits.buffered || this.#host.unread.isTooMuch(this.#owner, this))
      this.#tooSlow()
  }

  #tooSlow(): void {
    this.end('too-slow', 'too much is waiting to be read: connect again for what is missing', {
      retryAfterMs: RETRY_MS,
    })
  }

  /** What is still to be waited for is in the result: messages behind it need not. */
  async #handle({ message, isTooDear }: ReadMessage): Promise<{ readonly settled: Promise<unknown> } | undefined> {
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
        this.#sender.urgent(textOf({ type: 'pong' }))
        this.#checkUnread()
        break
      case 'received':
        this.#sender.acknowledge(message.transfer, message.pieces)
        break
      case 'transact':
        return { settled: this.#transact(message.transactions) }
      case 'subscribe':
        return this.#change(live.database, () =>
          this.#subscribe(message.subscription.id, () => {
            if (isTooDear) throw unreadablyDear(this.#host.limits.filters)
            live.viewer.add(message.subscription)
          }),
        )
      case 'unsubscribe':
        return this.#change(live.database, () => this.#unsubscribe(message.id))
      case 'presence':
        this.#say(live.database, message.state as CellValue)
        break
      case 'begin':
      case 'end':
      // Of what comes in pieces: it is whole by now.
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
    if (!this.#isKnown && !this.#know(user)) return
    const { database, release } = await this.#host.open(hello.database, user)
    if (this.#isClosed()) {
      release()
      return
    }
    try {
      await this.#enter(hello, database, user, release)
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
    const leaveReaders = this.#host.unread.enter(this.#owner, this)
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

  async #enter(
    hello: HelloMessage,
    database: LiveDatabase,
    user: User | undefined,
    release: () => void,
  ): Promise<void> {
    const access = this.#host.access(database, user)
    const viewer = new Viewer(database.store, access, this.#host.limits.filters)
    const refused: { readonly id: string; readonly reason: string }[] = []
    for (const subscription of hello.subscriptions) {
      if (viewer.has(subscription.id)) throw new NotFoundError(`a second subscription '${subscription.id}'`)
      try {
        viewer.add(subscription)
      } catch (error) {
        if (!(error instanceof TooDearError)) throw error
        refused.push({ id: subscription.id, reason: error.message })
      }
    }
    if (!this.#budget.take('subscriptions', viewer.size)) {
      release()
      this.#flood('one user has too many subscriptions')
      return
    }
    const { telling, suspended, missed, received } = await this.#prepare(
      hello,
      database,
      access,
      viewer,
      refused.length > 0,
    )
    await database.run(async () => {
      const changes = await missed?.finish()
      // What was made before may have in it what is hidden from this user by now.
      const isCurrent = access.unrestricted || suspended?.sequence === database.sequence
      const goesOn = suspended !== undefined && isCurrent && (suspended.point === undefined || changes !== undefined)
      if (suspended && !goesOn) suspended.copying?.copy.close()
      if (this.#closed) {
        if (suspended) this.#host.transfers.suspend(this.#owner, suspended)
        this.#budget.release('subscriptions', viewer.size)
        release()
        return
      }
      const stop = database.listen(this)
      const stopExpiry = this.#expire(user)
      this.#live = {
        database,
        access,
        viewer,
        telling,
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
        reset: goesOn ? suspended.copying !== undefined : suspended !== undefined || changes === undefined,
        ...(goesOn && { resumes: true }),
        ...(received !== undefined && { received }),
        ...(user && this.#protocol >= FULL_PROTOCOL && { user: user.id }),
        limits: { messageBytes, transactions },
      })
      if (this.#protocol >= NUMBERED_PIECES) this.#sender.usePieces()
      for (const { id, reason } of refused) this.#send({ type: 'refused', id, code: 'too-large', reason })
      const seen = changes && viewer.changes(transitionsOf(internals(database.store).engine, changes))
      if (goesOn) telling.resume(suspended, seen)
      else if (seen && !suspended) telling.startWith(seen)
      else telling.startWithCopy()
      database.presence.enter(this, authorOf(user))
    })
  }

  /** What a connection that begins goes on from: what is read for it takes its time, and others have theirs meanwhile. */
  async #prepare(
    hello: HelloMessage,
    database: LiveDatabase,
    access: Access,
    viewer: Viewer,
    isIncomplete: boolean,
  ): Promise<{
    readonly telling: Telling
    readonly suspended: Suspended | undefined
    readonly missed: MissedSince | undefined
    readonly received: number | undefined
  }> {
    const telling = new Telling({
      database,
      access,
      viewer,
      sender: this.#sender,
      author: this,
      saysLive: this.#protocol >= FULL_PROTOCOL,
      failed: (error) => this.#fail(error),
      tooSlow: () => this.#tooSlow(),
    })
    const { receiving, sending } = hello
    const upload = sending === undefined ? undefined : this.#host.transfers.take(this.#owner, sending)
    const received = sending === undefined ? undefined : upload ? this.#incoming.goOn(upload) : 0
    // Where not all that was asked for is there, the copy is sent: nobody takes what there was for the whole of it.
    if (isIncomplete) return { telling, suspended: undefined, missed: undefined, received }
    const found = receiving && this.#host.transfers.resume(this.#owner, receiving.transfer)
    const isLost = found?.copying !== undefined && found.point === undefined && found.copying.copy.over
    const fits =
      !isLost && found?.database === database && found.view === viewer.view && found.transfer.resume(receiving!.pieces)
    if (found && !fits) found.copying?.copy.close()
    const suspended = fits ? found : undefined
    const given =
      suspended?.point ??
      (suspended || hello.position === undefined ? undefined : database.positions.decode(hello.position, viewer.view))
    const missed = given && (await MissedSince.read(database, given, this.#host.limits.catchUp))
    return { telling, suspended, missed, received }
  }

  /** A token is good for as long as it says: then a fresh one is needed. */
  #expire(user: User | undefined): () => void {
    const expires: unknown = user?.['exp']
    if (typeof expires !== 'number') return () => undefined
    // Whoever checks tokens may let one pass that has just expired: a while, so that it is not in vain at once.
    const end = (): void => this.end('unauthenticated', 'the token has expired', { retryAfterMs: RETRY_MS })
    return callAt(expires * 1000, end)
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
    const changes = transactions.reduce((sum, transaction) => sum + transaction.changes.length, 0)
    this.#undecided += changes
    // What comes behind it is not read before: it would only wait here.
    if (this.#undecided > MANY_CHANGES) this.#resume ??= this.#connection.pause?.()
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
    return Promise.all(settled).finally(() => {
      this.#undecided -= changes
      if (this.#undecided <= MANY_CHANGES) this.#goOnReading()
    })
  }

  #goOnReading(): void {
    this.#resume?.()
    this.#resume = undefined
  }

  /**
   * Subscriptions change one after the other: what is taken away has left before the next has its place, and its message
   * counts as waiting until then.
   */
  #change(
    database: LiveDatabase,
    work: () => { readonly left: Promise<void> } | undefined,
  ): { readonly settled: Promise<void> } {
    if (++this.#changing > this.#host.limits.subscriptions * 2) this.#tooSlow()
    const settled = this.#changes
      .then(() => database.run(work))
      .then((done) => done?.left)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#changing--)
    this.#changes = settled
    return { settled }
  }

  #subscribe(id: string, add: () => void): undefined {
    // It may have closed while it waited for its turn.
    if (!this.#live) return
    const { viewer, access, telling } = this.#live
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
    telling.addRows(id)
  }

  #unsubscribe(id: string): { readonly left: Promise<void> } | undefined {
    if (!this.#live) return undefined
    const { viewer, telling } = this.#live
    if (!viewer.has(id)) return undefined
    this.#budget.release('subscriptions')
    return { left: telling.removeRows(id) }
  }

  #flood(what: string): undefined {
    this.end('flood', `${what}: send fewer at once`, { retryAfterMs: RETRY_MS })
  }

  #send(message: { readonly type: string; readonly [property: string]: unknown }): void {
    if (this.#closed) return
    this.#sender.send(textOf(message), randomUUID)
    this.#checkUnread()
  }

  get owner(): string {
    return this.#owner
  }

  /** Whether it can be told of others now: they are told when there is room, as they are then. */
  get hasRoom(): boolean {
    return !this.#closed && !this.#sender.busy && this.#connection.buffered < ROOM_BYTES
  }

  /** What someone says of themselves, without the rows that it may not see. `undefined` where it sees everything. */
  get shown(): ((state: CellValue) => CellValue) | undefined {
    if (!this.#live || this.#live.access.unrestricted) return undefined
    const { viewer } = this.#live
    return (state) => visiblePresence(state, viewer)
  }

  sendPresence(text: string): void {
    if (!this.#closed) this.#sender.send(text, randomUUID, true)
  }

  #isClosed(): boolean {
    return this.#closed
  }

  /** @param broke what was under way is kept for who comes back for it */
  #leave(broke: boolean): void {
    clearTimeout(this.#helloTimer)
    this.#goOnReading()
    this.#leaveStrangers()
    const upload = this.#incoming.close()
    const suspended = this.#live?.telling.close()
    if (!this.#live) this.#sender.close()
    if (broke && upload) this.#host.transfers.keep(this.#owner, upload)
    else upload?.release()
    if (broke && suspended) this.#host.transfers.suspend(this.#owner, suspended)
    else suspended?.copying?.copy.close()
    this.#live?.leave()
    this.#live = undefined
  }

  #fail(error: unknown): void {
    if (error instanceof PieceError) {
      this.end(error.code, error.message)
      return
    }
    if (error instanceof LogMovedError) {
      this.end('shutting-down', 'another server has the database by now', { retryAfterMs: RETRY_MS })
      return
    }
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
  moved: 'shutting-down',
  unavailable: 'unavailable',
}

/** A message without its opening brace, which its number comes after. */
function textOf(message: { readonly type: string; readonly [property: string]: unknown }): string {
  return serializeValue(message).slice(1)
}

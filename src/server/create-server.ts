import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { RowcastError } from '../errors/index.ts'
import { isSchema, withPatterns, type PatternEngine, type Schema } from '../schema/index.ts'
import type { Accept, HelloMessage } from '../transport/index.ts'
import { Access, checkPermissions, type Permissions, type User } from './access.ts'
import { Beside } from './beside/index.ts'
import { boundDatabase } from './bound-database.ts'
import { Budgets } from './budgets.ts'
import { Databases, UnknownDatabaseError, type Lease } from './databases.ts'
import { describeReport } from './describe-report.ts'
import { FairShare } from './fair-share.ts'
import { judgeUser, unavailable } from './judge-user.ts'
import type { LogStorage, Placement } from './log.ts'
import { ForbiddenError } from './refusals.ts'
import { limitsOf, type GivenLimits, type Limits } from './limits.ts'
import { linearPatterns, PatternError } from './patterns/index.ts'
import { Session } from './session.ts'
import type { SnapshotStorage } from './snapshot-storage.ts'
import { Strangers } from './strangers.ts'
import { Transfers } from './transfers.ts'
import { Unread } from './unread.ts'

/** What someone wants to do with a database as a whole. */
export type Action =
  | 'list'
  | 'open'
  | 'create'
  | 'delete'
  | 'export'
  | 'import'
  | 'snapshot'
  | 'rollback'
  | 'fork'
  | 'history'

/** What a request brings to tell who it is. */
export interface Credentials {
  /** The bearer token of a request, or the token of a connection's first message. */
  readonly token: string | undefined
}

export interface ServerOptions {
  /** Made by `defineSchema`: every database of the server has it. */
  readonly schema: Schema
  /**
   * How the schema's patterns are matched: in time proportional to the text, if not given; a pattern that can't be matched
   * so is a SchemaError then. With `native` by JavaScript's RegExp, which a text can keep busy for years where the pattern
   * is not made with care, and nobody else is served meanwhile.
   */
  readonly patterns?: 'linear' | 'native' | undefined
  /** Where logs and snapshots lie: `fileStorage(directory)`, `memoryStorage()`. */
  readonly storage: { readonly logs: LogStorage; readonly snapshots: SnapshotStorage }
  /**
   * Who someone is. To refuse for good it gives `undefined` or throws RowcastError with code `unauthenticated` (or what
   * jose throws against a token). Whatever else it throws says that it can't tell now: it is reported, and the client
   * is told to ask again (503). A connection ends at the user's `exp`, in seconds since 1970, if there is one. Without
   * it everyone is let in, without a name.
   */
  readonly authenticate?: (credentials: Credentials) => User | undefined | Promise<User | undefined>
  /**
   * Whether someone is let in no more, although the token is still good. Asked after `authenticate`, and every
   * `revocationMs` of everyone who is connected. One that throws is as an `authenticate` that can't tell.
   */
  readonly isRevoked?: (user: User) => boolean | Promise<boolean>
  /** How often those who are connected are asked about, in milliseconds; 60,000 if not given. */
  readonly revocationMs?: number
  /**
   * Whether someone may do something with a database. One that throws can't tell now, and nothing is done. Without it whoever is let in may open databases, and do the rest
   * where they are `admin: true`, or where there is neither `authenticate` nor `permissions`: a file or the history has
   * everything in it.
   */
  readonly authorize?: (request: {
    readonly user: User | undefined
    readonly database: string | undefined
    readonly action: Action
  }) => boolean | Promise<boolean>
  /**
   * Makes a database, empty, when someone who may `open` it first connects to it or sends a transaction, if `authorize`
   * allows `create` as well; without `authorize` for everyone who is let in. Names are then taken by whoever comes first,
   * and as many as they like: give `authorize` where that is not all right. Without it a database is made by
   * `PUT /v1/databases/:name`, an import or a fork.
   */
  readonly create?: boolean | undefined
  /** Rules by table. Without them whoever has opened a database sees and changes everything in it. */
  readonly permissions?: Permissions | undefined
  /** Known to all servers of these databases and to nobody else; one is made, and lasts as long as the process, without. */
  readonly secret?: string
  /** A database that nobody uses is closed after so many milliseconds; 30,000 if not given. */
  readonly idleMs?: number
  /** A snapshot is made after so many transactions; 5,000 if not given. */
  readonly snapshotEvery?: number
  /** So many transactions before the newest snapshot stay in the history; 100,000 if not given. */
  readonly historyEntries?: number
  /** What one message, connection, user and database may take; see `docs/security.md` for the defaults. */
  readonly limits?: GivenLimits
  /** Told of failures that nobody else hears of; they are printed if not given. */
  readonly onError?: (error: unknown) => void
}

/** So long it may take to give up what others are to have; they find out by themselves. */
const LEAVE_MS = 5_000

/** A server that fails on one thing goes on with the others. */
function print(error: unknown): void {
  process.stderr.write(`${describeReport(error)}\n`)
}

/** What a server says of a pattern that it can't have in linear time. */
const serverPatterns: PatternEngine = (pattern) => {
  try {
    return linearPatterns(pattern)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new PatternError(
      `a text could keep the server busy with this pattern: ${why}. Write it without, or start the server with patterns: 'native' (--native-patterns)`,
      { cause },
    )
  }
}

/** What several parts of a server have in common. */
export class ServerCore {
  readonly schema: Schema
  readonly databases: Databases
  /** Where several servers share the databases. */
  readonly placement: Placement | undefined
  /** Known to all servers of these databases and to nobody else. */
  readonly secret: string
  /** Where that is done which takes as long as a database is large. */
  readonly beside: Beside
  readonly limits: Limits
  readonly budgets: Budgets
  readonly strangers: Strangers
  readonly #unread: Unread
  readonly #transfers = new Transfers()
  readonly #share = new FairShare()
  readonly sessions: Set<Session> = new Set()
  readonly #options: ServerOptions
  readonly report: (error: unknown) => void
  readonly #revocations: NodeJS.Timeout | undefined
  #revoking = false

  constructor(options: ServerOptions) {
    if (!isSchema(options?.schema))
      throw new RowcastError('options', 'createServer expects { schema }, made by defineSchema')
    if (!options.storage?.logs || !options.storage.snapshots)
      throw new RowcastError('options', 'createServer expects { storage }: fileStorage(directory), for one')
    checkPermissions(options.schema, options.permissions)
    this.#options = options
    this.schema = options.patterns === 'native' ? options.schema : withPatterns(options.schema, serverPatterns)
    this.limits = limitsOf(options.limits)
    this.budgets = new Budgets(this.limits)
    this.strangers = new Strangers(this.limits)
    this.#unread = new Unread(this.limits.userBuffered)
    this.report = options.onError ?? print
    this.beside = new Beside(this.schema, options.patterns ?? 'linear')
    this.placement = options.storage.logs.placement
    if (this.placement && options.secret === undefined)
      throw new RowcastError('options', 'servers that share databases need { secret }, the same for all of them')
    this.secret = options.secret ?? randomUUID()
    this.databases = new Databases({
      schema: this.schema,
      beside: this.beside,
      logs: options.storage.logs,
      snapshots: options.storage.snapshots,
      secret: this.secret,
      now: Date.now,
      snapshotEvery: options.snapshotEvery ?? 5_000,
      historyEntries: options.historyEntries ?? 100_000,
      idleMs: options.idleMs ?? 30_000,
      limits: this.limits,
      report: this.report,
    })
    if (options.isRevoked)
      this.#revocations = setInterval(() => {
        this.#endRevoked().catch(this.report)
      }, options.revocationMs ?? 60_000).unref()
  }

  /** Who someone is. Throws RowcastError (`unauthenticated`, `unavailable`). */
  async authenticate(credentials: Credentials): Promise<User | undefined> {
    const { authenticate } = this.#options
    if (!authenticate) return undefined
    const user = await judgeUser(() => authenticate(credentials))
    if (await this.#isRevoked(user)) throw new RowcastError('unauthenticated', 'the token is not accepted any more')
    return user
  }

  /**
   * Ends the connections of a user, who may come back with a token that is still taken. Returns how many there were.
   */
  disconnect(user: string | Pick<User, 'id'>): number {
    const id = typeof user === 'string' ? user : user.id
    const theirs = [...this.sessions].filter((session) => session.user?.id === id)
    for (const session of theirs) session.end('unauthenticated', 'disconnected: log in again', { retryAfterMs: 500 })
    return theirs.length
  }

  /** Throws ForbiddenError unless someone may do something, and RowcastError (`unavailable`) where nobody can tell. */
  async authorize(user: User | undefined, action: Action, database?: string): Promise<void> {
    const { authorize, authenticate, permissions } = this.#options
    let allowed: boolean
    try {
      allowed = authorize
        ? await authorize({ user, action, database })
        : action === 'open' || (!authenticate && !permissions) || user?.['admin'] === true
    } catch (error) {
      throw unavailable(error)
    }
    if (!allowed) throw new ForbiddenError()
  }

  /**
   * A database, for someone who may open it; made now where there is none and this server makes them. Throws
   * UnknownDatabaseError.
   */
  async use(user: User | undefined, name: string): Promise<Lease> {
    try {
      return await this.databases.use(name)
    } catch (error) {
      if (!(error instanceof UnknownDatabaseError) || !(await this.#mayMake(user, name))) throw error
    }
    try {
      await this.databases.create(name)
    } catch (error) {
      // Somebody else has been faster.
      if (!(error instanceof RowcastError) || error.code !== 'exists') throw error
    }
    return this.databases.use(name)
  }

  async #mayMake(user: User | undefined, name: string): Promise<boolean> {
    const { create = false, authorize } = this.#options
    if (!create || !authorize) return create
    try {
      await this.authorize(user, 'create', name)
      return true
    } catch (error) {
      if (error instanceof ForbiddenError) return false
      throw error
    }
  }

  access(database: { readonly store: Access['store']; readonly name: string }, user: User | undefined): Access {
    const { permissions } = this.#options
    return new Access(database.store, database.name, { user, permissions, report: this.report })
  }

  /** Takes a connection of the sync protocol. */
  readonly accept: Accept = (connection, request) => {
    const session: Session = new Session(
      {
        authenticates: this.#options.authenticate !== undefined,
        authenticate: (hello: HelloMessage) => this.authenticate({ token: hello.token }),
        open: async (name, user) => {
          await this.authorize(user, 'open', name)
          return this.use(user, name)
        },
        access: (database, user) => this.access(database, user),
        database: boundDatabase(request),
        schemaVersion: this.schema.version,
        limits: this.limits,
        budgets: this.budgets,
        strangers: this.strangers,
        unread: this.#unread,
        transfers: this.#transfers,
        share: this.#share,
        report: this.report,
      },
      connection,
      request.address,
    )
    this.sessions.add(session)
    return {
      receive: (message) => session.receive(message),
      get allowedBytes() {
        return session.allowedBytes
      },
      hold: (bytes) => session.hold(bytes),
      tooLarge: () => session.tooLarge(),
      closed: () => {
        this.sessions.delete(session)
        session.closed()
      },
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#revocations)
    // Whoever is sent elsewhere finds that it is looked after there.
    const left = this.placement?.leave().catch(this.report)
    await Promise.race([left, delay(LEAVE_MS, undefined, { ref: false })])
    for (const session of Array.from(this.sessions))
      session.end('shutting-down', 'the server is going down', { retryAfterMs: 500 })
    this.#transfers.close()
    await this.databases.close()
    await this.beside.close()
  }

  async #isRevoked(user: User): Promise<boolean> {
    try {
      return (await this.#options.isRevoked?.(user)) ?? false
    } catch (error) {
      throw unavailable(error)
    }
  }

  async #endRevoked(): Promise<void> {
    if (this.#revoking) return
    this.#revoking = true
    try {
      for (const session of Array.from(this.sessions))
        if (session.user && (await this.#isRevoked(session.user)))
          session.end('unauthenticated', 'the token is not accepted any more', { retryAfterMs: 500 })
    } finally {
      this.#revoking = false
    }
  }
}

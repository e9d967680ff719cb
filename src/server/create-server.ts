import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { RowcastError } from '../errors/index.ts'
import { isSchema, type Schema } from '../schema/index.ts'
import type { Accept, HelloMessage } from '../transport/index.ts'
import { Access, checkPermissions, type Permissions, type User } from './access.ts'
import { Beside } from './beside/index.ts'
import { Databases } from './databases.ts'
import type { LogStorage } from './log.ts'
import { ForbiddenError } from './refusals.ts'
import { Session, type SessionLimits } from './session.ts'
import type { SnapshotStorage } from './snapshot-storage.ts'

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
  /** Where logs and snapshots lie: `fileStorage(directory)`, `memoryStorage()`. */
  readonly storage: { readonly logs: LogStorage; readonly snapshots: SnapshotStorage }
  /**
   * Who someone is. Throws, or gives `undefined`, to refuse. Without it everyone is let in, without a name.
   */
  readonly authenticate?: (credentials: Credentials) => User | undefined | Promise<User | undefined>
  /**
   * Whether someone may do something with a database. Without it whoever is let in may open databases, and do the rest
   * where they are `admin: true`, or where there is neither `authenticate` nor `permissions`: a file or the history has
   * everything in it.
   */
  readonly authorize?: (request: {
    readonly user: User | undefined
    readonly database: string | undefined
    readonly action: Action
  }) => boolean | Promise<boolean>
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
  readonly limits?: Partial<SessionLimits>
  /** Told of failures that nobody else hears of; they are printed if not given. */
  readonly onError?: (error: unknown) => void
}

const LIMITS: SessionLimits = {
  messageBytes: 8 * 1024 * 1024,
  transactions: 20_000,
  buffered: 16 * 1024 * 1024,
  catchUp: 20_000,
}

/** A server that fails on one thing goes on with the others. */
function print(error: unknown): void {
  process.stderr.write(`${inspect(error)}\n`)
}

/** What several parts of a server have in common. */
export class ServerCore {
  readonly schema: Schema
  readonly databases: Databases
  /** Where that is done which takes as long as a database is large. */
  readonly beside: Beside
  readonly limits: SessionLimits
  readonly sessions: Set<Session> = new Set()
  readonly #options: ServerOptions
  readonly report: (error: unknown) => void

  constructor(options: ServerOptions) {
    if (!isSchema(options?.schema))
      throw new RowcastError('options', 'createServer expects { schema }, made by defineSchema')
    if (!options.storage?.logs || !options.storage.snapshots)
      throw new RowcastError('options', 'createServer expects { storage }: fileStorage(directory), for one')
    checkPermissions(options.schema, options.permissions)
    this.#options = options
    this.schema = options.schema
    this.limits = { ...LIMITS, ...options.limits }
    this.report = options.onError ?? print
    this.beside = new Beside(options.schema)
    this.databases = new Databases({
      schema: options.schema,
      beside: this.beside,
      logs: options.storage.logs,
      snapshots: options.storage.snapshots,
      secret: options.secret ?? randomUUID(),
      now: Date.now,
      snapshotEvery: options.snapshotEvery ?? 5_000,
      historyEntries: options.historyEntries ?? 100_000,
      idleMs: options.idleMs ?? 30_000,
      report: this.report,
    })
  }

  /** Who someone is. Throws RowcastError (`unauthenticated`). */
  async authenticate(credentials: Credentials): Promise<User | undefined> {
    const { authenticate } = this.#options
    if (!authenticate) return undefined
    let user: User | undefined
    try {
      user = await authenticate(credentials)
    } catch (cause) {
      throw new RowcastError('unauthenticated', 'the token is not accepted', { cause })
    }
    if (!user) throw new RowcastError('unauthenticated', 'a token is needed, and the one given is not accepted')
    return user
  }

  /** Throws ForbiddenError unless someone may do something. A check that throws denies. */
  async authorize(user: User | undefined, action: Action, database?: string): Promise<void> {
    const { authorize, authenticate, permissions } = this.#options
    let allowed: boolean
    try {
      allowed = authorize
        ? await authorize({ user, action, database })
        : action === 'open' || (!authenticate && !permissions) || user?.['admin'] === true
    } catch (error) {
      this.report(error)
      allowed = false
    }
    if (!allowed) throw new ForbiddenError()
  }

  access(database: { readonly store: Access['store']; readonly name: string }, user: User | undefined): Access {
    const { permissions } = this.#options
    return new Access(database.store, database.name, { user, permissions, report: this.report })
  }

  /** Takes a connection of the sync protocol. */
  readonly accept: Accept = (connection) => {
    const session: Session = new Session(
      {
        authenticate: (hello: HelloMessage) => this.authenticate({ token: hello.token }),
        open: async (name, user) => {
          await this.authorize(user, 'open', name)
          return this.databases.use(name)
        },
        access: (database, user) => this.access(database, user),
        schemaVersion: this.schema.version,
        limits: this.limits,
        report: this.report,
      },
      connection,
    )
    this.sessions.add(session)
    return {
      receive: (message) => session.receive(message),
      closed: () => {
        this.sessions.delete(session)
        session.closed()
      },
    }
  }

  async close(): Promise<void> {
    for (const session of Array.from(this.sessions))
      session.end('shutting-down', 'the server is going down', { retryAfterMs: 500 })
    await this.databases.close()
    await this.beside.close()
  }
}

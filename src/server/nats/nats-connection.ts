import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import type { ConnectionOptions, NatsConnection as Connection } from '@nats-io/transport-node'
import { StoreClosedError } from '../../errors/index.ts'
import { loadNats, type Nats } from './load-nats.ts'
import { parseNatsUrl, type NatsAddress, type NatsCredentials, type NatsOptions } from './nats-options.ts'

/** A server that accepts a connection and says nothing is left for another one. */
const DIAL_MS = 2_000
/** A server that does not answer so many pings is left as well. */
const PING_MS = 1_000
const MOST_PINGS_OUT = 3
/** Between two attempts to connect, and as much again at random. */
const RECONNECT_MS = 100

/** What is asked of the servers. */
export interface NatsSession {
  readonly nats: Nats
  readonly connection: Connection
  readonly client: JetStreamClient
  /** @param timeoutMs how long each answer is waited for */
  readonly manage: (timeoutMs: number) => Promise<JetStreamManager>
}

/** The connection went while an answer was awaited, or was not there. */
export class NatsDisconnectedError extends Error {
  override readonly name = 'NatsDisconnectedError'
  /** Whether what was asked was sent, or may have been. */
  readonly isSent: boolean

  constructor(isSent: boolean, options?: { readonly cause?: unknown }) {
    const { cause } = options ?? {}
    super(`there is no connection to any of the servers${cause instanceof Error ? `: ${cause.message}` : ''}`, options)
    this.isSent = isSent
  }
}

/**
 * One connection to a NATS cluster, which all that a server asks of it shares. Opened when it is used first; it goes on to
 * another server by itself, for ever. Its client is `@nats-io/transport-node`, which is loaded then.
 */
export class NatsConnection {
  /** Without credentials, for messages. */
  readonly address: string
  /** What the names of streams begin with. */
  readonly prefix: string
  /** How many servers the address names. */
  readonly servers: number
  readonly #parsed: NatsAddress
  readonly #options: NatsOptions
  readonly #awaiting = new Set<(error: Error) => void>()
  #session: Promise<NatsSession> | undefined
  #isUp = false
  #isClosed = false

  /** Throws RowcastError (`options`) for an address that is none. */
  constructor(options: NatsOptions) {
    this.#parsed = parseNatsUrl(options.url)
    this.#options = options
    this.address = this.#parsed.shown
    this.prefix = this.#parsed.prefix
    this.servers = this.#parsed.servers.length
  }

  /**
   * One attempt, which rejects at once where there is no connection, where it goes and where the signal says so. It never
   * waits in a queue for one: what was given up would be sent later.
   */
  async ask<Answer>(attempt: (session: NatsSession) => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted()
    const session = await this.#before(this.#open(), signal)
    if (!this.#isUp) throw new NatsDisconnectedError(false)
    return this.#before(attempt(session), signal)
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#end(new StoreClosedError(`the connection to ${this.address}`))
    const opening = this.#session
    this.#session = undefined
    // Whoever waits for it is told what failed.
    const [opened] = await Promise.allSettled([opening])
    if (opened.status === 'fulfilled') await opened.value?.connection.close()
  }

  #open(): Promise<NatsSession> {
    if (this.#isClosed) throw new StoreClosedError(`the connection to ${this.address}`)
    if (this.#session) return this.#session
    const opening = this.#connect()
    this.#session = opening
    opening.catch(() => this.#forget(opening))
    return opening
  }

  async #connect(): Promise<NatsSession> {
    const nats = await loadNats()
    const connection = await nats.transport.connect(this.#connectionOptions()).catch((cause: unknown) => {
      throw new NatsDisconnectedError(false, { cause })
    })
    const client = nats.jetstream.jetstream(connection)
    const manage = (timeout: number): Promise<JetStreamManager> =>
      nats.jetstream.jetstreamManager(connection, { timeout, checkAPI: false })
    this.#isUp = true
    void this.#follow(connection)
    return { nats, connection, client, manage }
  }

  /** Whether there is a connection, as it tells. */
  async #follow(connection: Connection): Promise<void> {
    const opening = this.#session
    for await (const { type } of connection.status()) {
      if (type === 'reconnect') this.#isUp = true
      if (type !== 'disconnect' && type !== 'close') continue
      this.#isUp = false
      this.#end(new NatsDisconnectedError(true))
    }
    // It has ended for good: by `close`, or by a server that takes the credentials no more.
    this.#isUp = false
    this.#forget(opening)
    this.#end(new NatsDisconnectedError(true))
  }

  #forget(opening: Promise<NatsSession> | undefined): void {
    if (this.#session === opening) this.#session = undefined
  }

  #end(error: Error): void {
    for (const end of this.#awaiting) end(error)
  }

  async #before<Answer>(asked: Promise<Answer>, signal: AbortSignal | undefined): Promise<Answer> {
    const { promise: ended, reject: end } = Promise.withResolvers<never>()
    const abort = (): void => end(signal!.reason)
    this.#awaiting.add(end)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([asked, ended])
    } finally {
      this.#awaiting.delete(end)
      signal?.removeEventListener('abort', abort)
    }
  }

  #connectionOptions(): ConnectionOptions {
    const { servers, isEncrypted } = this.#parsed
    const { credentials = this.#parsed.credentials, tls } = this.#options
    return {
      servers: [...servers],
      name: 'rowcast',
      timeout: DIAL_MS,
      pingInterval: PING_MS,
      maxPingOut: MOST_PINGS_OUT,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      reconnectJitter: RECONNECT_MS,
      reconnectJitterTLS: RECONNECT_MS,
      ...(credentials && named(credentials)),
      ...((isEncrypted || tls) && { tls: { ...tls } }),
    }
  }
}

function named(credentials: NatsCredentials): ConnectionOptions {
  if ('token' in credentials) return { token: credentials.token }
  return { user: credentials.user, pass: credentials.password }
}

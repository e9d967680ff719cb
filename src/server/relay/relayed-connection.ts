import { WebSocket } from 'ws'
import type { ConnectionHandler, ServerConnection } from '../../transport/index.ts'
import type { Budget } from '../budgets.ts'
import type { OtherServer } from '../log.ts'
import { Life } from '../ws/index.ts'

/** More than this is not read from one side before the other one has taken it, in bytes. */
const MUCH = 256 * 1024
/** How often it is looked whether a client has taken what waits. */
const LOOK_MS = 10
/** How often the server is asked whether it lives; one that has said nothing until it is asked again is given up. */
const ASK_MS = 5_000
/** How long a server may take to accept a connection. */
const HANDSHAKE_MS = 2_000
/** Why a connection ended whose server is gone, or has said nothing of it. */
const LOST = { code: 4000, reason: 'unavailable' }
/** What begins a message of the server, or a piece of one: the number of the message, or of the next. */
const NUMBER = /^(?:\{"n":(\d+)|[+.](\d+),)/

export interface RelayedConnectionOptions extends OtherServer {
  readonly database: string
  readonly headers: Readonly<Record<string, string>>
  /** The longest message, in bytes. */
  readonly messageBytes: number
  /** Of where the connection comes from. */
  readonly budget: Budget
}

/** A message on its way to the server, and what gives back its room. */
interface Sent {
  readonly message: string
  readonly release: () => void
}

/** A connection whose messages go to another server over a WebSocket, and whose other side's come from there. */
export class RelayedConnection implements ConnectionHandler {
  /** Resolves with the first message of the server, or with why there was none: then nothing was told to the client. */
  readonly answered: Promise<string | undefined>
  readonly allowedBytes: number
  readonly #connection: ServerConnection
  readonly #budget: Budget
  readonly #socket: WebSocket
  readonly #life = new Life()
  /** What came before the server has taken the connection. */
  #early: Sent[] | undefined = []
  #hasAnswered = false
  /** The number of the next message. */
  #next = 0
  #isClosed = false
  /** What ends the pause of the client. */
  #resume: (() => void) | undefined
  #looking: NodeJS.Timeout | undefined

  constructor(connection: ServerConnection, options: RelayedConnectionOptions) {
    const { url, gone, database, headers, messageBytes, budget } = options
    this.allowedBytes = messageBytes
    this.#connection = connection
    this.#budget = budget
    const address = new URL(`v1/databases/${encodeURIComponent(database)}/sync`, url.replace(/\/?$/, '/'))
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(address, { headers, perMessageDeflate: false, handshakeTimeout: HANDSHAKE_MS })
    this.#socket = socket
    const end = (): void => socket.terminate()
    gone.addEventListener('abort', end)
    if (gone.aborted) end()
    for (const event of ['pong', 'message']) socket.on(event, () => this.#life.heard())
    // What lies between two servers may swallow a connection without a word.
    const asking = setInterval(() => {
      if (!this.#life.ask()) end()
      else if (socket.readyState === WebSocket.OPEN) socket.ping()
    }, ASK_MS).unref()
    let failure = 'the connection ended'
    // `close` follows.
    socket.on('error', (error) => (failure = error.message))
    socket.on('open', () => {
      const early = this.#early ?? []
      this.#early = undefined
      for (const sent of early) this.#send(sent)
    })
    this.answered = new Promise((resolve) => {
      socket.on('message', (data: Buffer) => {
        this.#hasAnswered = true
        resolve(undefined)
        const text = data.toString('utf8')
        const [, message, next] = NUMBER.exec(text) ?? []
        this.#next = message === undefined ? Number(next) : Number(message) + 1
        this.#tell(text)
      })
      socket.on('close', (code, reason) => {
        gone.removeEventListener('abort', end)
        clearInterval(asking)
        for (const { release } of this.#early ?? []) release()
        this.#early = undefined
        const text = reason.toString('utf8')
        resolve(text || failure)
        this.#ended(code, text)
      })
    })
  }

  receive(message: string): void {
    const bytes = Buffer.byteLength(message)
    if (this.#isClosed) return
    if (!this.#budget.take('memoryBytes', bytes)) {
      this.#connection.close(4000, 'flood')
      return
    }
    const sent = { message, release: () => this.#budget.release('memoryBytes', bytes) }
    if (this.#early) this.#early.push(sent)
    else this.#send(sent)
  }

  hold(bytes: number): (() => void) | undefined {
    if (this.#budget.take('memoryBytes', bytes)) return () => this.#budget.release('memoryBytes', bytes)
    this.#connection.close(4000, 'flood')
    return undefined
  }

  tooLarge(): void {
    this.#connection.close(4000, 'too-large')
  }

  closed(): void {
    this.#isClosed = true
    clearTimeout(this.#looking)
    this.#goOn()
    // One that is not open yet is given up.
    this.#socket.close()
  }

  #send({ message, release }: Sent): void {
    this.#socket.send(message, () => {
      release()
      if (this.#socket.bufferedAmount <= MUCH) this.#goOn()
    })
    if (this.#socket.bufferedAmount > MUCH) this.#resume ??= this.#connection.pause?.()
  }

  #goOn(): void {
    this.#resume?.()
    this.#resume = undefined
  }

  #tell(message: string): void {
    if (this.#isClosed) return
    this.#connection.send(message)
    if (this.#connection.buffered > MUCH && !this.#looking) {
      this.#socket.pause()
      this.#look()
    }
  }

  #look(): void {
    this.#looking = setTimeout(() => {
      this.#looking = undefined
      // It is this side that does not read.
      this.#life.heard()
      if (this.#connection.buffered > MUCH) this.#look()
      else this.#socket.resume()
    }, LOOK_MS)
  }

  /** So that the client comes back here, where the next owner is known first. */
  #sayLost(): void {
    const reason = 'the server that looks after the database is gone: connect again'
    this.#connection.send(JSON.stringify({ n: this.#next, type: 'closing', code: 'too-slow', reason, retryAfterMs: 0 }))
  }

  /** Of one that was never answered the client hears nothing: it is passed on anew. */
  #ended(code: number, reason: string): void {
    if (this.#isClosed || !this.#hasAnswered) return
    this.#goOn()
    const isSaid = code === 1001 || (code >= 4000 && code < 5000)
    if (!isSaid) this.#sayLost()
    this.#connection.close(isSaid ? code : LOST.code, reason || LOST.reason)
  }
}

import { formatMessage, MalformedMessageError, parseServerMessage } from '../protocol/parse-message.ts'
import type { ClientMessage, HelloMessage, ServerMessage, WelcomeMessage } from '../protocol/messages.ts'
import { byteLength } from '../protocol/byte-length.ts'
import {
  parsePiece,
  PartReceiver,
  PartSender,
  PieceError,
  sourceOf,
  type Progress,
  type Transfer,
} from '../parts/index.ts'
import type { Transport } from '../transport.ts'

/** A message before it has its number. */
export type Unnumbered = ClientMessage extends infer M ? (M extends ClientMessage ? Omit<M, 'n'> : never) : never

/** What a line tells. */
export interface ServerLineUser {
  /** A message of the server, in its turn. */
  arrived(message: ServerMessage): void
  /** What came is none of the protocol. */
  misunderstood(reason: string): void
  /** More of something long has arrived, or was taken. */
  progressed(): void
}

/**
 * The messages of one connection to a server after another: numbered, long ones in pieces, and what was under way when a
 * connection broke is gone on with on the next.
 */
export class ServerLine {
  readonly #transport: Transport
  readonly #user: ServerLineUser
  readonly #receiver = new PartReceiver()
  #sender: PartSender
  #received = 0
  /** What was under way to the server when the last connection broke. */
  #suspended: Transfer | undefined

  constructor(transport: Transport, user: ServerLineUser) {
    this.#transport = transport
    this.#user = user
    this.#sender = this.#newSender()
  }

  /** Something long is arriving. */
  get receiving(): Progress | undefined {
    return this.#receiver.progress
  }

  /** Something long is going out. */
  get sending(): Progress | undefined {
    return this.#sender.current?.progress
  }

  /** A new connection begins: numbers count from 0. */
  opened(): void {
    this.#received = 0
    this.#suspended = this.#sender.close() ?? this.#sender.ended ?? this.#suspended
    this.#sender = this.#newSender()
  }

  /** What `hello` says of what was under way. */
  get unfinished(): Pick<HelloMessage, 'receiving' | 'sending'> {
    const receiving = this.#receiver.unfinished
    return { ...(receiving && { receiving }), ...(this.#suspended && { sending: this.#suspended.id }) }
  }

  /** The server knows pieces, and says what it has of what was under way. */
  welcomed({ received, resumes = false }: WelcomeMessage): void {
    this.#sender.usePieces()
    if (!resumes) this.#receiver.forget()
    if (received === undefined || this.#suspended?.resume(received) !== true) this.#suspended = undefined
  }

  /** Sends a message, behind those before it. `id` names it where it is long: the same for the same contents only. */
  post(message: Unnumbered, id: () => string = () => crypto.randomUUID()): void {
    const { text, isLong } = this.#textOf(message)
    if (!isLong) {
      this.#sender.send(text, id)
      return
    }
    const suspended = this.#suspended
    this.#suspended = undefined
    const transfer = id()
    if (suspended?.id === transfer) this.#sender.resume(suspended)
    else this.#sender.stream(transfer, byteLength(text), sourceOf([text]))
    this.#user.progressed()
  }

  /** Says that one lives. */
  ping(): void {
    this.#urgent({ type: 'ping' })
  }

  receive(frame: string): void {
    const piece = parsePiece(frame)
    try {
      if (!piece) this.#take(frame)
      else if (this.#isDue(piece.n)) {
        const rest = this.#receiver.take(piece)
        if (rest !== undefined) this.#take(`{"n":${this.#received},${rest}`)
        const received = this.#receiver.acknowledgement
        if (received) this.#urgent({ type: 'received', ...received })
        this.#user.progressed()
      }
    } catch (error) {
      if (!(error instanceof MalformedMessageError) && !(error instanceof PieceError)) throw error
      // What has come before something that is missing is good: the next connection goes on from there.
      if (!(error instanceof PieceError && error.code === 'out-of-order')) this.#receiver.forget()
      this.#user.misunderstood(error.message)
    }
  }

  #isDue(n: number): boolean {
    if (n === this.#received) return true
    this.#user.misunderstood(`message ${n} came where ${this.#received} was due`)
    return false
  }

  #take(text: string): void {
    const message = parseServerMessage(text)
    if (!this.#isDue(message.n)) return
    this.#received++
    switch (message.type) {
      case 'begin':
        this.#receiver.begin(message)
        this.#user.progressed()
        break
      case 'end':
        this.#receiver.end(message)
        this.#user.progressed()
        break
      case 'received':
        this.#sender.acknowledge(message.transfer, message.pieces)
        break
      default:
        this.#user.arrived(message)
    }
  }

  #urgent(message: Unnumbered): void {
    this.#sender.urgent(this.#textOf(message).text)
  }

  #textOf(message: Unnumbered): { readonly text: string; readonly isLong: boolean } {
    const text = formatMessage(message as ClientMessage).slice(1)
    return { text, isLong: this.#sender.isLong(text) }
  }

  #newSender(): PartSender {
    return new PartSender(this.#transport, {
      idle: () => this.#user.progressed(),
      moved: () => this.#user.progressed(),
      failed: (error) => {
        throw error
      },
    })
  }
}

import type { ServerCore } from 'rowcast/server'
import {
  parsePiece,
  parseServerMessage,
  PartReceiver,
  PROTOCOL_VERSION,
  type ClosingMessage,
  type CommitsMessage,
  type ConnectionHandler,
  type HelloMessage,
  type ServerMessage,
  type WireChange,
  type WireTransaction,
} from 'rowcast/transport'
import { formatMessage } from '../../../src/transport/protocol/parse-message.ts'

type OfType<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>

/** What a message says, without its number, or what is none at all. */
export type Draft = { readonly [property: string]: unknown }

let transactions = 0

/**
 * A client without a store: it says what a test says, and keeps every text that it ever got, but for those that only speak of
 * how messages travel.
 */
export class RawClient {
  readonly texts: string[] = []
  readonly messages: ServerMessage[] = []
  /** How the connection ended, if it has. */
  ended: { readonly code: number; readonly reason: string } | undefined
  /** What the network has not taken yet, as the server is told. */
  buffered = 0
  /** For how many reasons the server does not want to read more. */
  paused = 0
  #sent = 0
  #read = 0
  #received = 0
  readonly #parts = new PartReceiver()
  #look: (() => void)[] = []
  readonly #handler: ConnectionHandler

  constructor(core: Pick<ServerCore, 'accept'>) {
    const buffered = (): number => this.buffered
    this.#handler = core.accept(
      {
        send: (text) => this.#receive(text),
        get buffered() {
          return buffered()
        },
        pause: () => {
          this.paused++
          return () => this.paused--
        },
        close: (code, reason) => {
          if (this.ended) return
          this.#end(code, reason)
          queueMicrotask(() => this.#handler.closed(reason))
        },
      },
      { url: '/', headers: new Map() },
    )
  }

  /** Says hello, and waits for the welcome and for what follows it. */
  static async enter(core: Pick<ServerCore, 'accept'>, hello: Partial<HelloMessage> = {}): Promise<RawClient> {
    const client = new RawClient(core)
    client.hello(hello)
    const { reset } = await client.next('welcome')
    if (reset) await client.find('rows', ({ subscription, position }) => subscription === undefined && !!position)
    return client
  }

  hello(hello: Draft = {}): void {
    this.post({ ...helloMessage, ...hello })
  }

  /** Sends a message with the next number. */
  post(message: Draft): void {
    this.raw(formatMessage({ n: this.#sent++, ...message } as never))
  }

  /** The number that its next message has. */
  get posted(): number {
    return this.#sent
  }

  /** Counts a message that goes out by `raw`. */
  count(): void {
    this.#sent++
  }

  /** Sends a text as it is. */
  raw(text: string): void {
    this.#handler.receive(text)
  }

  /** Sends a transaction under a new id, and returns the id. */
  transact(changes: readonly WireChange[], more: Partial<WireTransaction> = {}): string {
    const id = more.id ?? `transaction-${++transactions}`
    this.post({ type: 'transact', transactions: [{ id, changes, ...more }] })
    return id
  }

  /** Sends a transaction and waits for what becomes of it: the commits or the refusal. */
  async commit(changes: readonly WireChange[], more: Partial<WireTransaction> = {}): Promise<ServerMessage> {
    const id = this.transact(changes, more)
    return this.verdict(id)
  }

  verdict(id: string): Promise<ServerMessage> {
    return this.#until(() =>
      this.messages.find(
        (message) =>
          (message.type === 'commits' && message.commits.some((commit) => commit.id === id)) ||
          ((message.type === 'refused' || message.type === 'known') && message.id === id),
      ),
    )
  }

  /** The next message of a type, after those that were asked for before. */
  next<Type extends ServerMessage['type']>(type: Type): Promise<OfType<Type>> {
    return this.#until(() => {
      const at = this.messages.findIndex((message, index) => index >= this.#read && message.type === type)
      if (at < 0) return undefined
      this.#read = at + 1
      return this.messages[at] as OfType<Type>
    })
  }

  /** A message of a type that is as it should be, among all that came or will come. */
  find<Type extends ServerMessage['type']>(
    type: Type,
    test: (message: OfType<Type>) => boolean = () => true,
  ): Promise<OfType<Type>> {
    return this.#until(() =>
      this.messages.find((message): message is OfType<Type> => message.type === type && test(message as OfType<Type>)),
    )
  }

  /** Waits until everything that was sent so far has been dealt with. Not for a client that has not said hello. */
  async settled(): Promise<void> {
    const pongs = this.#count('pong')
    this.post({ type: 'ping' })
    await this.#until(() => (this.ended || this.#count('pong') > pongs ? true : undefined))
  }

  /** What the server said at the end. */
  closing(): Promise<ClosingMessage> {
    return this.#until(() => (this.ended ? (this.messages.at(-1) as ClosingMessage) : undefined))
  }

  /** The newest position that it was given. */
  get position(): string {
    const { position } = this.messages.findLast((message) => 'position' in message) as CommitsMessage
    return position!
  }

  get commits(): CommitsMessage['commits'] {
    return this.messages.flatMap((message) => (message.type === 'commits' ? message.commits : []))
  }

  /** The connection breaks. */
  leave(): void {
    if (this.ended) return
    this.#end(1006, 'left')
    this.#handler.closed('left')
  }

  #end(code: number, reason: string): void {
    this.ended = { code, reason }
    this.#told()
  }

  #receive(text: string): void {
    if (this.ended) throw new Error(`a message after the end: ${text}`)
    const piece = parsePiece(text)
    if (!piece) {
      this.#take(text)
      return
    }
    if (piece.n !== this.#received) throw new Error(`a piece of message ${piece.n} after ${this.#received - 1}`)
    const rest = this.#parts.take(piece)
    if (rest !== undefined) this.#take(`{"n":${this.#received},${rest}`)
    const { acknowledgement } = this.#parts
    if (acknowledgement) this.post({ type: 'received', ...acknowledgement })
  }

  #take(text: string): void {
    const message = parseServerMessage(text)
    if (message.n !== this.#received++) throw new Error(`message ${message.n} after ${this.#received - 2}`)
    if (message.type === 'begin') this.#parts.begin(message)
    else if (message.type === 'end') this.#parts.end(message)
    else if (message.type !== 'live' && message.type !== 'received') {
      this.texts.push(text)
      this.messages.push(message)
      this.#told()
    }
  }

  #told(): void {
    for (const look of this.#look.splice(0)) look()
  }

  #count(type: string): number {
    return this.messages.filter((message) => message.type === type).length
  }

  async #until<Result>(look: () => Result | undefined): Promise<Result> {
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      if (this.ended) throw new Error(`the connection ended with ${this.ended.reason}: ${this.texts.at(-1)}`)
      await new Promise<void>((resolve) => this.#look.push(resolve))
    }
  }
}

/** A good hello, without its number: every row of the database called scene. */
export const helloMessage: Omit<HelloMessage, 'n'> = {
  type: 'hello',
  protocol: PROTOCOL_VERSION,
  schemaVersion: 1,
  database: 'scene',
  subscriptions: [{ id: 'all', sets: [] }],
}

/** A row of the table note, put. */
export function put(key: number, after: WireChange['after'] = {}): WireChange {
  return { table: 'note', key, op: 'put', after: { id: key, ...after } }
}

/** Everything there is, as a client that comes now sees it. */
export async function contentOf(
  core: Pick<ServerCore, 'accept'>,
  hello: Partial<HelloMessage> = {},
): Promise<Record<string, unknown>> {
  const client = await RawClient.enter(core, hello)
  client.leave()
  const rows = client.messages.flatMap((message) => (message.type === 'rows' ? message.rows : []))
  return Object.fromEntries(rows.map(([table, key, cells]) => [`${table} ${JSON.stringify(key)}`, cells]))
}

import { onTestFinished } from 'vitest'
import { WebSocket, type ClientOptions } from 'ws'

export interface Message {
  readonly type: string
  readonly [name: string]: unknown
}

/** A client that speaks the protocol by hand. */
export class RawClient {
  readonly socket: WebSocket
  readonly messages: Message[] = []
  /** The close code, once it has closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  #waiting: (() => void)[] = []
  #n = 0

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url.replace(/^http/, 'ws'), options)
    this.socket.on('message', (data) => {
      this.messages.push(JSON.parse(String(data)) as Message)
      this.#moved()
    })
    this.socket.on('error', () => undefined)
    this.closed = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => {
        resolve({ code, reason: String(reason) })
        this.#moved()
      }),
    )
    onTestFinished(() => this.socket.terminate())
  }

  get opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('open', () => resolve())
      this.socket.once('error', reject)
    })
  }

  send(message: Message): void {
    this.socket.send(JSON.stringify({ n: this.#n++, ...message }))
  }

  /** The first message that came, or comes, of which this is true. */
  async until(is: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(is)
      if (found) return found
      if (this.socket.readyState === WebSocket.CLOSED)
        throw new Error(`closed before it came; had ${this.messages.map(({ type }) => type).join(', ')}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  hello(database: string): Promise<Message> {
    this.send({
      type: 'hello',
      protocol: 3,
      schemaVersion: 1,
      database,
      subscriptions: [{ id: 'all', sets: [] }],
    })
    return this.until(({ type, position }) => type === 'rows' && position !== undefined)
  }

  /** Goes on from a position; what `welcome` says. */
  helloAgain(database: string, position: unknown): Promise<Message> {
    this.send({
      type: 'hello',
      protocol: 3,
      schemaVersion: 1,
      database,
      position,
      subscriptions: [{ id: 'all', sets: [] }],
    })
    return this.until(({ type }) => type === 'welcome')
  }

  put(id: string): void {
    this.send({
      type: 'transact',
      transactions: [{ id: `put-${id}`, changes: [{ table: 'note', key: id, op: 'put', after: { id } }] }],
    })
  }

  /** Until a commit has come that puts this note. */
  told(id: string): Promise<Message> {
    return this.until(({ type, commits }) => type === 'commits' && JSON.stringify(commits).includes(`"${id}"`))
  }

  #moved(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

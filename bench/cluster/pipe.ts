import { WebSocket } from 'ws'

/** Another server has the database. */
export class MovedError extends Error {}

/** Transactions of one message. */
const MOST = 1_000

/**
 * A line of the protocol that writes without waiting. It costs this process little, so that hundreds can be had. Nobody else
 * writes to its database.
 */
export class Pipe {
  /** Of each transaction that was acknowledged, in their order: the milliseconds that it took. */
  readonly took: number[] = []
  readonly #socket: WebSocket
  readonly #name: string
  #n = 0
  readonly #sentAt: number[] = []
  #sequence = 0
  #told: () => void = () => undefined
  #failure: Error | undefined

  private constructor(socket: WebSocket, name: string) {
    this.#socket = socket
    this.#name = name
  }

  /** @param name the ids of its rows begin with it; the database's if not given */
  static open(url: string, database: string, name = database): Promise<Pipe> {
    return new Promise((resolve, reject) => {
      const address = `${url.replace(/^http/, 'ws')}/v1/databases/${database}/sync`
      const socket = new WebSocket(address, { perMessageDeflate: false })
      const pipe = new Pipe(socket, name)
      let isOpen = false
      const fail = (error: Error): void => {
        pipe.#failure ??= error
        pipe.#told()
        reject(error)
      }
      socket.on('error', fail)
      socket.on('close', () => fail(new MovedError(`${url} has closed the connection of ${database}`)))
      socket.on('open', () =>
        pipe.#send({
          type: 'hello',
          protocol: 3,
          schemaVersion: 1,
          database,
          subscriptions: [{ id: '1', sets: [] }],
        }),
      )
      socket.on('message', (data: Buffer) => {
        // It is the message's last property, but that it may be missing from messages that change nothing.
        const found = /"sequence":(\d+)\}$/.exec(data.subarray(-40).toString('latin1'))
        if (!found) {
          // It is to be tried again.
          if (data.includes('"retryAfterMs":')) fail(new MovedError(data.toString()))
          else if (data.includes('"type":"closing"')) fail(new Error(`${database} at ${url}: ${data.toString()}`))
          return
        }
        pipe.#take(Number(found[1]), isOpen)
        if (!isOpen) resolve(pipe)
        isOpen = true
      })
    })
  }

  /** The ids of the rows of those that were acknowledged. */
  get acknowledged(): readonly string[] {
    return this.took.map((_, n) => `${this.#name}-${n}`)
  }

  /** Writes so many transactions, `rate` a second; resolves once all are acknowledged. */
  async write(count: number, rate: number): Promise<void> {
    const [begun, before] = [performance.now(), this.#sentAt.length]
    for (let sent = 0; sent < count;) {
      const due = Math.min(count, sent + MOST, Math.ceil(((performance.now() - begun) / 1000) * rate))
      if (due > sent) this.#transact(due - sent)
      sent = due
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await this.#until(() => this.took.length === before + count)
  }

  /** Has so many transactions under way, again and again until it is told to stop; resolves once all are acknowledged. */
  async keepWriting(underWay: number, signal: AbortSignal): Promise<void> {
    await this.#until(() => {
      const missing = this.#sentAt.length - this.took.length
      if (signal.aborted) return missing === 0
      if (missing < underWay) this.#transact(underWay - missing)
      return false
    })
  }

  close(): void {
    this.#socket.terminate()
  }

  #take(sequence: number, isCounted: boolean): void {
    const at = performance.now()
    const count = isCounted ? sequence - this.#sequence : 0
    for (let n = 0; n < count; n++) this.took.push(at - this.#sentAt[this.took.length]!)
    this.#sequence = sequence
    this.#told()
  }

  /** Asks anew with each that is acknowledged. */
  async #until(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      if (this.#failure) throw this.#failure
      await new Promise<void>((resolve) => (this.#told = resolve))
    }
  }

  #transact(count: number): void {
    const first = this.#sentAt.length
    const transactions = Array.from({ length: count }, (_, n) => {
      const id = `${this.#name}-${first + n}`
      return { id, changes: [{ table: 'item', key: id, op: 'put', after: { id } }] }
    })
    this.#sentAt.push(...new Array<number>(count).fill(performance.now()))
    this.#send({ type: 'transact', transactions })
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify({ n: this.#n++, ...message }))
  }
}

import { type Batch, channelName, type Letter, type Message } from './wire.ts'

/** A BroadcastChannel on which what is sent within one microtask travels as one post, in order. */
export class Channel {
  readonly #id: string
  readonly #channel: BroadcastChannel
  readonly #receive: (from: string, message: Message) => void
  #waiting: Letter[] = []
  #closed = false

  constructor(name: string, id: string, receive: (from: string, message: Message) => void) {
    this.#id = id
    this.#receive = receive
    this.#channel = new BroadcastChannel(channelName(name))
    this.#channel.addEventListener('message', (event: MessageEvent<Batch>) => this.#deliver(event.data))
  }

  /** To one tab (this one among them), or to all others. Payloads in it must be copies. */
  send(message: Message, to?: string): void {
    // A handler may end after its tab has left; its request has gone to another.
    if (this.#closed) return
    this.#waiting.push({ to, message })
    if (this.#waiting.length === 1) queueMicrotask(() => this.flush())
  }

  flush(): void {
    const letters = this.#waiting
    if (letters.length === 0) return
    this.#waiting = []
    const others = letters.filter(({ to }) => to !== this.#id)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has none
    if (others.length > 0) this.#channel.postMessage({ from: this.#id, letters: others } satisfies Batch)
    if (others.length < letters.length)
      this.#deliver({ from: this.#id, letters: letters.filter(({ to }) => to === this.#id) })
  }

  close(): void {
    this.flush()
    this.#closed = true
    this.#channel.close()
  }

  #deliver({ from, letters }: Batch): void {
    for (const { to, message } of letters) if (to === undefined || to === this.#id) this.#receive(from, message)
  }
}

/** One direction of a connection in memory: what is under way, in the order it was sent. */
export class MemoryLane {
  readonly to: 'client' | 'server'
  /** Which connection of its courier, counted from 1. */
  readonly connection: number
  readonly #arrive: (message: string) => void
  readonly #end: (reason: string) => void
  readonly #messages: string[] = []
  /** Why the connection ends here, once all before it has arrived. */
  #ending: string | undefined
  #open = true
  #buffered = 0

  constructor(
    to: 'client' | 'server',
    connection: number,
    told: { readonly arrive: (message: string) => void; readonly end: (reason: string) => void },
  ) {
    this.to = to
    this.connection = connection
    this.#arrive = told.arrive
    this.#end = told.end
  }

  /** Messages and the ending that have not arrived. */
  get pending(): number {
    return this.#messages.length + (this.#ending === undefined ? 0 : 1)
  }

  /** Messages alone. */
  get messages(): number {
    return this.#messages.length
  }

  /** In characters. */
  get buffered(): number {
    return this.#buffered
  }

  /** Nothing can be put in or arrive any more. */
  get over(): boolean {
    return !this.#open
  }

  /** Dropped where the lane has been ended. */
  put(message: string): void {
    if (!this.#open || this.#ending !== undefined) return
    this.#messages.push(message)
    this.#buffered += message.length
  }

  /** The end of the connection comes after what is under way. */
  putEnding(reason: string): void {
    if (this.#open) this.#ending ??= reason
  }

  /** Lets the message at `index` arrive, or the ending where no message is left. `keep`: it stays, to arrive again. */
  deliver(index = 0, keep = false): string | undefined {
    if (!this.#open) return undefined
    const message = this.#messages[index]
    if (message === undefined) {
      if (this.#ending !== undefined) this.cut(this.#ending)
      return undefined
    }
    if (!keep) this.drop(index)
    this.#arrive(message)
    return message
  }

  /** Loses the message at `index`. */
  drop(index = 0): string | undefined {
    return this.#take(index, 1)[0]
  }

  /** Loses all but the first `count` messages. */
  keepFirst(count: number): void {
    this.#take(count, this.#messages.length)
  }

  /** Ends at once: what is under way is lost, and whoever it was for is told why. */
  cut(reason: string): void {
    if (this.discard()) this.#end(reason)
  }

  /** Ends at once and tells nobody: that side has ended it itself. True the first time. */
  discard(): boolean {
    if (!this.#open) return false
    this.#open = false
    this.keepFirst(0)
    this.#ending = undefined
    return true
  }

  #take(from: number, count: number): string[] {
    const taken = this.#messages.splice(from, count)
    for (const message of taken) this.#buffered -= message.length
    return taken
  }
}

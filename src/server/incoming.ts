import { inOneStep, type Steps } from '../changes/index.ts'
import {
  MalformedMessageError,
  parsePiece,
  PartReceiver,
  PieceError,
  type ClosingCode,
  type Received,
} from '../transport/index.ts'
import { CONTAINER_BYTES, type Budget } from './budgets.ts'
import type { Lane } from './fair-share.ts'
import { mostContainersOf } from './filter-budget.ts'
import type { Limits } from './limits.ts'
import { readClientMessage, type ReadMessage } from './read-message.ts'
import type { Upload, Whole } from './transfers.ts'

/** Messages that wait to be handled; more is a flood. */
const MAX_UNHANDLED = 1_000
const RETRY_MS = 500
/** Characters of a frame that is read at once, where there is time. */
const SHORT = 64 * 1024

/** What is done with what comes in. */
export interface IncomingUser {
  readonly limits: Limits
  /** Where it has its turn. */
  readonly lane: Lane
  /** Of whoever it is by now. */
  readonly budget: Budget
  /** Whether it is known who it is. */
  readonly isKnown: boolean
  /** Lets what is sent wait at the sender, until the function is called. */
  pause(): () => void
  /** A hello has come, before it is known who it is. `false` where that ends it. */
  greeted(): boolean
  /** A message in its turn. What is still to be waited for is in the result: messages behind it need not. */
  handle(message: ReadMessage): Promise<{ readonly settled: Promise<unknown> } | undefined>
  /** So much of something long is here. */
  received(received: Received): void
  end(code: ClosingCode, reason: string, options?: { readonly retryAfterMs?: number }): void
  failed(error: unknown): void
}

/**
 * What comes in over one connection: judged by its size before it is read, put together where it comes in pieces, and
 * handed on one after the other. All of it counts as its user's until it is dealt with.
 */
export class Incoming {
  readonly #user: IncomingUser
  #receiver: PartReceiver
  /** Bytes of pieces that are no message yet. */
  #pieces = 0
  /** The message that came in pieces last, until its sender knows that it is here. */
  #whole: Whole | undefined
  #received = 0
  /** Bytes that came before it was known who it is. */
  #early = 0
  #unhandled = 0
  /** What has come and is not dealt with, in bytes. */
  #waiting = 0
  #closed = false
  /** What ends the pause of the connection. */
  #resume: (() => void) | undefined
  #tail: Promise<void> = Promise.resolve()

  constructor(user: IncomingUser) {
    this.#user = user
    this.#receiver = new PartReceiver(user.limits.messageBytes)
  }

  /** The longest message that is taken now: only a little before it is known who it is. */
  get allowedBytes(): number {
    const { isKnown, limits } = this.#user
    return isKnown ? limits.messageBytes : Math.min(limits.messageBytes, limits.helloBytes - this.#early)
  }

  tooLarge(): void {
    const { isKnown, limits } = this.#user
    const allowed = isKnown
      ? `${limits.messageBytes} bytes are allowed`
      : `${Math.min(limits.messageBytes, limits.helloBytes)} bytes are allowed before hello is accepted`
    this.#user.end('too-large', `a message is too large: ${allowed}`)
  }

  /** What is long, or comes while others have their turn, waits and counts. */
  receive(frame: string): void {
    const { lane } = this.#user
    if (this.#closed || (frame.length <= SHORT && lane.tryNow(this.#read(frame)))) return
    if (lane.length >= MAX_UNHANDLED) return this.#flood(`more than ${MAX_UNHANDLED} messages are waiting`)
    const release = this.hold(Buffer.byteLength(frame))
    if (!release) return
    this.#resume ??= this.#user.pause()
    lane.push(this.#readInTurn(frame, release))
  }

  *#readInTurn(frame: string, release: () => void): Steps<void> {
    try {
      yield* this.#read(frame, release)
    } finally {
      // It is the last that waits.
      if (this.#user.lane.length <= 1) this.#goOnReading()
    }
  }

  #goOnReading(): void {
    this.#resume?.()
    this.#resume = undefined
  }

  /** Calls back once all that has come was read. */
  afterAll(then: () => void): void {
    const { lane } = this.#user
    if (lane.length > 0) lane.push(inOneStep(then))
    else then()
  }

  /** @param release gives back what it takes while it waits, and is read */
  *#read(frame: string, release: () => void = () => undefined): Steps<void> {
    if (this.#closed) {
      release()
      return
    }
    const piece = parsePiece(frame)
    try {
      if (!piece) {
        yield* this.#take(frame, release)
        return
      }
      release()
      if (!this.#isDue(piece.n)) return
      const bytes = Buffer.byteLength(piece.text)
      if (!this.#user.budget.take('waitingBytes', bytes)) return this.#flood('too much of one user is waiting')
      this.#pieces += bytes
      const rest = this.#receiver.take(piece)
      if (rest !== undefined) {
        this.#forgetWhole()
        this.#whole = { rest, bytes: this.#pieces }
        this.#pieces = 0
        yield* this.#take(`{"n":${this.#received},${rest}`)
      }
      const received = this.#receiver.acknowledgement
      if (received && !this.#closed) this.#user.received(received)
    } catch (error) {
      if (!(error instanceof PieceError)) throw error
      this.#user.end(error.code, error.message, error.code === 'out-of-order' ? { retryAfterMs: 0 } : {})
    }
  }

  #isDue(n: number): boolean {
    if (n === this.#received) return true
    this.#user.end('out-of-order', `message ${n} came where ${this.#received} was due`, { retryAfterMs: 0 })
    return false
  }

  /** Goes on with what had arrived over an earlier connection. How many pieces are there. */
  goOn({ receiver, whole, release }: Upload): number {
    this.#receiver = receiver
    // From here on it counts as this connection's.
    release()
    if (whole && this.#user.budget.take('waitingBytes', whole.bytes)) {
      this.#whole = whole
      this.#user.lane.push(this.#readAgain(whole))
    } else if (whole) receiver.forget()
    const bytes = receiver.held
    if (this.#user.budget.take('waitingBytes', bytes)) this.#pieces = bytes
    else receiver.forget()
    return receiver.unfinished?.pieces ?? 0
  }

  *#readAgain({ rest, bytes }: Whole): Steps<void> {
    const read = yield* readClientMessage(`{"n":0,${rest}`, this.#mostContainers)
    // Its sender has not heard what became of it, and does not send it again. Anything else is part of hello, or is sent anew.
    if (read.message.type === 'transact' && !this.#closed) this.#queue(read, bytes)
  }

  /** Takes nothing any more. Gives what has arrived of something long. */
  close(): Upload | undefined {
    if (this.#closed) return undefined
    this.#closed = true
    this.#goOnReading()
    const { budget } = this.#user
    const whole = this.#whole
    const bytes = this.#pieces + (whole?.bytes ?? 0)
    const release = (): void => budget.release('waitingBytes', bytes)
    if (this.#receiver.unfinished && bytes > 0) return { receiver: this.#receiver, whole, release }
    release()
    return undefined
  }

  #forgetWhole(): void {
    if (this.#whole) this.#user.budget.release('waitingBytes', this.#whole.bytes)
    this.#whole = undefined
  }

  /** Lists and objects of a subscription that is not too dear for certain. */
  get #mostContainers(): number {
    return mostContainersOf(this.#user.limits.filters)
  }

  *#take(text: string, release?: () => void): Steps<void> {
    const { isKnown } = this.#user
    const bytes = Buffer.byteLength(text)
    let read: ReadMessage
    try {
      if (bytes > this.allowedBytes) return this.tooLarge()
      if (!isKnown) this.#early += bytes
      read = yield* readClientMessage(text, this.#mostContainers)
    } catch (error) {
      this.#user.end('malformed', error instanceof MalformedMessageError ? error.message : 'it can not be read')
      return
    } finally {
      release?.()
    }
    if (this.#closed) return
    const { message } = read
    if (!this.#isDue(message.n)) return
    this.#received++
    if (message.type === 'hello' && !isKnown && !this.#user.greeted()) return
    if (message.type === 'begin') {
      if (message.transfer !== this.#receiver.unfinished?.transfer) this.#forgetWhole()
      this.#receiver.begin(message)
    } else if (message.type === 'end') {
      this.#receiver.end(message)
      this.#forgetWhole()
    } else this.#queue(read, bytes)
  }

  /** Takes what the parts of a message need until it is here; the returned function gives it back. */
  hold(bytes: number): (() => void) | undefined {
    return this.#closed ? undefined : this.#wait(bytes, bytes)
  }

  #queue(read: ReadMessage, bytes: number): void {
    if (++this.#unhandled > MAX_UNHANDLED) return this.#flood(`more than ${MAX_UNHANDLED} messages are waiting`)
    const release = this.#wait(bytes, bytes + read.containers * CONTAINER_BYTES)
    if (!release) return
    const handled = this.#tail.then(() => this.#user.handle(read))
    this.#tail = handled
      .then(() => undefined)
      .catch((error: unknown) => this.#user.failed(error))
      .finally(() => this.#unhandled--)
    handled.then((work) => work?.settled).then(release, release)
  }

  /** Takes what a message needs until it is dealt with; the returned function gives it back. */
  #wait(bytes: number, memory: number): (() => void) | undefined {
    const { budget, limits } = this.#user
    if (this.#waiting > 0 && this.#waiting + bytes > limits.waitingBytes)
      return this.#flood(`more than ${limits.waitingBytes} bytes are waiting`)
    if (!budget.take('waitingBytes', bytes)) return this.#flood('too much of one user is waiting')
    if (!budget.take('memoryBytes', memory)) {
      budget.release('waitingBytes', bytes)
      return this.#flood('too much is waiting')
    }
    this.#waiting += bytes
    return () => {
      this.#waiting -= bytes
      budget.release('waitingBytes', bytes)
      budget.release('memoryBytes', memory)
    }
  }

  #flood(what: string): undefined {
    this.#user.end('flood', `${what}: send fewer at once`, { retryAfterMs: RETRY_MS })
  }
}

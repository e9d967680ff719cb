import { byteLength } from '../protocol/byte-length.ts'
import { PieceError } from './piece-error.ts'
import { formatPiece, PIECE_LENGTH, type Piece } from './pieces.ts'
import { sourceOf, Transfer, type MessageSource } from './transfer.ts'

/** Pieces that may be under way before the other side has said that it has them. */
const WINDOW = 64
/** Pieces go to the line while no more than this waits there, in what it counts. */
const AT_THE_LINE = 256 * 1024
/** The line is full: whatever else there is waits. */
const FULL = 512 * 1024
/** How often a line that takes no acknowledgements is asked whether it has room. */
const POLL_MS = 4

/** What frames go out on. */
export interface Line {
  send(frame: string): void
  /** Bytes or characters that it has not taken yet. */
  readonly buffered: number
}

/** What a sender tells. */
export interface PartSenderEvents {
  /** Everything has gone out, and what was long has arrived. */
  idle(): void
  /** The source of what goes out has failed. */
  failed(error: unknown): void
  /** The other side has more of what is long. */
  moved?(): void
}

/**
 * Numbers what goes out over one connection and keeps its order. What is long goes in pieces, as fast as the other side
 * takes them, and what comes after it waits behind; only what says that one lives (`urgent`) goes between. To one that
 * knows no pieces each message goes whole, as fast as the line takes them.
 */
export class PartSender {
  readonly #line: Line
  readonly #events: PartSenderEvents
  #inPieces = false
  #count = 0
  #waiting: (string | Transfer)[] = []
  #current: Transfer | undefined
  #ended: Transfer | undefined
  #loading = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(line: Line, events: PartSenderEvents) {
    this.#line = line
    this.#events = events
  }

  /** From now on what is long goes in pieces: the other side knows them. */
  usePieces(): void {
    this.#inPieces = true
  }

  /** Whether something long is going out, or the line is full: what is sent now waits behind it. `idle` tells when it no longer is. */
  get busy(): boolean {
    if (this.#current !== undefined || this.#waiting.length > 0) return true
    if (this.#line.buffered <= FULL) return false
    this.#askAgain()
    return true
  }

  /** What waits here, in UTF-16 units. */
  get queued(): number {
    return this.#waiting.reduce(
      (sum, one) => sum + (typeof one === 'string' ? one.length : one.held),
      this.#current?.held ?? 0,
    )
  }

  /** What is going out. */
  get current(): Transfer | undefined {
    return this.#current
  }

  /** Whether a message goes in pieces. */
  isLong(rest: string): boolean {
    return this.#inPieces && rest.length > PIECE_LENGTH
  }

  /** What was long and has arrived last. That it is over may not have. */
  get ended(): Transfer | undefined {
    return this.#ended
  }

  /** A message without its opening brace, which its number comes after. One that is long goes as a transfer of this id. `aside`: it says nothing of the data. */
  send(rest: string, id: () => string, aside = false): void {
    if (this.#closed) return
    if (this.isLong(rest)) this.stream(id(), byteLength(rest), sourceOf([rest]), aside)
    else if (this.busy) this.#waiting.push(rest)
    else this.#write(rest)
  }

  /** A short message that does not wait for what is long, where that goes in pieces. */
  urgent(rest: string): void {
    if (this.#closed) return
    if (this.#inPieces || !this.busy) this.#write(rest)
    else this.#waiting.push(rest)
  }

  /** The last message: what waits is dropped. */
  end(rest: string): void {
    if (!this.#closed) this.#write(rest)
    this.close()
  }

  /** Messages of which only so many are made as the other side takes. */
  stream(id: string, bytes: number, source: MessageSource, aside = false): void {
    this.resume(new Transfer(id, bytes, source, { aside, ...(!this.#inPieces && { cut: whole }) }))
  }

  /** Goes on with what another connection has begun. */
  resume(transfer: Transfer): void {
    if (this.#closed) return
    const { busy } = this
    this.#waiting.push(transfer)
    if (!busy) this.#sendWaiting()
  }

  /** The other side has so many pieces of a transfer. Throws PieceError where these have not gone out. */
  acknowledge(id: string, pieces: number): void {
    const current = this.#current
    if (current?.id !== id) {
      if (this.#ended?.id === id || this.#closed) return
      throw new PieceError('malformed', `pieces of transfer ${id} are received, which is not under way`)
    }
    current.acknowledge(pieces)
    this.#events.moved?.()
    this.#pump()
  }

  /** Nothing goes out any more. Gives what was going out, to go on with on another connection. */
  close(): Transfer | undefined {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#waiting = []
    const current = this.#current
    this.#current = undefined
    return this.#inPieces ? current : undefined
  }

  #sendWaiting(): void {
    while (!this.#current && !this.#closed) {
      if (this.#line.buffered > FULL) {
        this.#askAgain()
        return
      }
      const next = this.#waiting.shift()
      if (next === undefined) {
        this.#events.idle()
        return
      }
      if (typeof next === 'string') this.#write(next)
      else this.#begin(next)
    }
  }

  #begin(transfer: Transfer): void {
    this.#current = transfer
    if (this.#inPieces) {
      const { id, acknowledged, bytes, aside } = transfer
      this.#write(
        `"type":"begin","transfer":${JSON.stringify(id)},"from":${acknowledged},"bytes":${bytes}${aside ? ',"aside":true' : ''}}`,
      )
    }
    this.#pump()
  }

  /** Sends as much as there is room for. */
  #pump(): void {
    const current = this.#current
    if (!current || this.#loading || this.#closed || this.#timer !== undefined) return
    while (!current.sent) {
      if (!this.#hasRoom(current)) return
      const piece = current.take()
      if (piece) this.#sendPiece(current, piece)
      else if (this.#load(current)) return
    }
    if (this.#inPieces && !current.done) return
    this.#current = undefined
    if (this.#inPieces) {
      this.#ended = current
      this.#write(`"type":"end","transfer":${JSON.stringify(current.id)}}`)
    }
    this.#sendWaiting()
  }

  /** Whether what comes next has to be waited for. */
  #load(current: Transfer): boolean {
    const loaded = current.load()
    if (!loaded) return false
    this.#loading = true
    this.#goOnAfter(loaded).catch((error: unknown) => {
      if (!this.#closed) this.#events.failed(error)
    })
    return true
  }

  async #goOnAfter(loaded: Promise<void>): Promise<void> {
    try {
      await loaded
    } finally {
      this.#loading = false
    }
    this.#pump()
  }

  /** Where there is none, an acknowledgement, or the clock, asks again. */
  #hasRoom(current: Transfer): boolean {
    if (current.underWay < WINDOW && this.#line.buffered < AT_THE_LINE) return true
    // Nothing is under way that could be acknowledged: others fill the line.
    if (current.underWay === 0) this.#askAgain()
    return false
  }

  #askAgain(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#current) this.#pump()
      else this.#sendWaiting()
    }, POLL_MS)
  }

  #sendPiece(current: Transfer, piece: Piece): void {
    if (!this.#inPieces) {
      this.#write(piece.text)
      current.acknowledge(current.acknowledged + 1)
      return
    }
    this.#line.send(formatPiece(piece, this.#count))
    // The message has the number that is due once it is whole.
    if (piece.ends) this.#count++
  }

  #write(rest: string): void {
    this.#line.send(`{"n":${this.#count++},${rest}`)
  }
}

function whole(text: string, number: number): Piece[] {
  return [{ number, text, ends: true }]
}

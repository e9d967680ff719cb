import { byteLength } from '../protocol/byte-length.ts'
import { PieceError } from './piece-error.ts'
import { piecesOf, type Piece } from './pieces.ts'
import { progressOf, type Progress } from './progress.ts'

/** Messages without their numbers, one after the other; `undefined` at the end. */
export interface MessageSource {
  next(): string | undefined | Promise<string | undefined>
}

/** Messages that are there. */
export function sourceOf(messages: Iterable<string>): MessageSource {
  const iterator = messages[Symbol.iterator]()
  return { next: () => iterator.next().value as string | undefined }
}

/**
 * One long message, or many in a row, in pieces. What the other side has not acknowledged is kept, so that it goes on
 * where it was after the connection broke. Messages are asked for as they go out: no more is held than is under way.
 */
export class Transfer {
  readonly id: string
  /** How long all of it is, or about so, in bytes; 0 where that is not known. */
  readonly bytes: number
  /** Whether it says nothing of the data: who receives it is not behind. */
  readonly aside: boolean
  readonly #source: MessageSource
  readonly #cut: (message: string, first: number) => Iterable<Piece>
  /** Pieces from the first that is not acknowledged on, as far as they were asked for. */
  #kept: Piece[] = []
  #acknowledged = 0
  #arrived = 0
  #next = 0
  #complete = false

  /** @param options `aside`: it says nothing of the data; `cut`: the pieces of a message, from which number on */
  constructor(
    id: string,
    bytes: number,
    source: MessageSource,
    options: { readonly aside?: boolean; readonly cut?: (message: string, first: number) => Iterable<Piece> } = {},
  ) {
    this.id = id
    this.bytes = bytes
    this.#source = source
    this.aside = options.aside ?? false
    this.#cut = options.cut ?? piecesOf
  }

  /** How many pieces the other side has. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  /** How much has arrived, in bytes. */
  get progress(): Progress {
    return progressOf(this.#arrived, this.bytes)
  }

  /** How many pieces are under way. */
  get underWay(): number {
    return this.#next - this.#acknowledged
  }

  /** Whether the last piece has gone out. */
  get sent(): boolean {
    return this.#complete && this.#next === this.#acknowledged + this.#kept.length
  }

  /** Whether the other side has all of it. */
  get done(): boolean {
    return this.#complete && this.#kept.length === 0
  }

  /** UTF-16 units that are held for it. */
  get held(): number {
    return this.#kept.reduce((sum, { text }) => sum + text.length, 0)
  }

  /** The next piece to go out, which then counts as sent; `undefined` where it has to be loaded first, or all are sent. */
  take(): Piece | undefined {
    const piece = this.#kept[this.#next - this.#acknowledged]
    if (piece) this.#next++
    return piece
  }

  /** Asks for the next message. Rejects with what its source fails with. */
  load(): void | Promise<void> {
    const message = this.#source.next()
    return message instanceof Promise ? message.then((text) => this.#keep(text)) : this.#keep(message)
  }

  /** The other side has so many pieces. Throws PieceError where fewer have gone out. */
  acknowledge(pieces: number): void {
    if (pieces > this.#next)
      throw new PieceError('malformed', `${pieces} pieces of transfer ${this.id} are received of ${this.#next}`)
    if (pieces <= this.#acknowledged) return
    for (const { text } of this.#kept.splice(0, pieces - this.#acknowledged)) this.#arrived += byteLength(text)
    this.#acknowledged = pieces
  }

  /** Goes on, on another connection, after so many pieces. `false` where these are not known to have arrived, or not kept. */
  resume(pieces: number): boolean {
    if (pieces < this.#acknowledged || pieces > this.#acknowledged + this.#kept.length) return false
    this.#next = pieces
    this.acknowledge(pieces)
    return true
  }

  #keep(message: string | undefined): void {
    if (message === undefined) this.#complete = true
    else this.#kept.push(...this.#cut(message, this.#acknowledged + this.#kept.length))
  }
}

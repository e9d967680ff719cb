import { byteLength } from '../protocol/byte-length.ts'
import { PieceError } from './piece-error.ts'
import type { Piece } from './pieces.ts'
import { progressOf, type Progress } from './progress.ts'

/** After so many pieces the sender is told that they are here. */
const ACKNOWLEDGE_EVERY = 4
/** After so long it is told of fewer, in milliseconds: on a slow link that is how it knows that something arrives. */
const ACKNOWLEDGE_MS = 1_000

/** What has arrived of a transfer. */
export interface Received {
  readonly transfer: string
  readonly pieces: number
}

/** Puts the pieces of what is long together, over several connections if need be. */
export class PartReceiver {
  #transfer:
    | {
        readonly id: string
        readonly bytes: number
        readonly aside: boolean
        pieces: number
        done: number
        parts: string[]
      }
    | undefined
  /** UTF-16 units of the message that is not whole. */
  #length = 0
  /** When the sender was last told, as `performance.now` says. */
  #told = 0
  readonly #maxLength: number

  /** @param maxLength UTF-16 units of the longest message that is taken */
  constructor(maxLength: number = Number.POSITIVE_INFINITY) {
    this.#maxLength = maxLength
  }

  /** How much of what is arriving is here; `undefined` where nothing long of the data is under way. */
  get progress(): Progress | undefined {
    const transfer = this.#transfer
    return transfer && !transfer.aside ? progressOf(transfer.done, transfer.bytes) : undefined
  }

  /** What has arrived of something that is not whole, to go on from. */
  get unfinished(): Received | undefined {
    return this.#transfer && { transfer: this.#transfer.id, pieces: this.#transfer.pieces }
  }

  /** UTF-16 units that are held. */
  get held(): number {
    return this.#length
  }

  /** Throws PieceError where it does not go on from what is here. */
  begin({
    transfer,
    from,
    bytes,
    aside = false,
  }: {
    readonly transfer: string
    readonly from: number
    readonly bytes: number
    readonly aside?: boolean
  }): void {
    if (this.#transfer?.id !== transfer) {
      if (from !== 0) throw new PieceError('malformed', `transfer ${transfer} begins with piece ${from}`)
      this.forget()
      this.#transfer = { id: transfer, bytes, aside, pieces: 0, done: 0, parts: [] }
    } else if (this.#transfer.pieces !== from)
      throw new PieceError(
        'malformed',
        `transfer ${transfer} goes on with piece ${from} after ${this.#transfer.pieces}`,
      )
  }

  /** The message that is whole with it, without its opening brace and number. Throws PieceError. */
  take({ number, text, ends }: Piece): string | undefined {
    const transfer = this.#transfer
    if (!transfer) throw new PieceError('malformed', 'a piece of nothing')
    if (number !== transfer.pieces)
      throw new PieceError('out-of-order', `piece ${number} came where ${transfer.pieces} was due`)
    this.#length += text.length
    if (this.#length > this.#maxLength)
      throw new PieceError('malformed', `a message of more than ${this.#maxLength} characters`)
    transfer.parts.push(text)
    transfer.pieces++
    transfer.done += byteLength(text)
    let message: string | undefined
    if (ends) {
      message = transfer.parts.join('')
      transfer.parts = []
      this.#length = 0
    }
    return message
  }

  /** What the sender is to be told of, once what has just arrived was taken in: `undefined` where it can wait. */
  get acknowledgement(): Received | undefined {
    const transfer = this.#transfer
    if (!transfer) return undefined
    const now = performance.now()
    const { id, pieces, parts } = transfer
    if (pieces % ACKNOWLEDGE_EVERY !== 0 && parts.length > 0 && now - this.#told < ACKNOWLEDGE_MS) return undefined
    this.#told = now
    return { transfer: id, pieces }
  }

  /** All of it is here. Throws PieceError where that can't be: within a message, or of another than the one that has begun. */
  end(named?: { readonly transfer: string }): void {
    const { id, parts = [] } = this.#transfer ?? {}
    if (named && named.transfer !== id)
      throw new PieceError('malformed', `transfer ${named.transfer} ends and has not begun`)
    if (parts.length > 0) throw new PieceError('malformed', `transfer ${id} ends within a message`)
    this.forget()
  }

  /** What has arrived of it is of no use. */
  forget(): void {
    this.#transfer = undefined
    this.#length = 0
  }
}

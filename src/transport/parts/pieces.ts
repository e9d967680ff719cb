/** UTF-16 units of one piece: small enough that one arrives every few seconds on any link that is of use. */
export const PIECE_LENGTH: number = 16 * 1024

/** A piece of a message. The pieces of a message follow each other. */
export interface Piece {
  /** Its number in its transfer, from 0. */
  readonly number: number
  readonly text: string
  /** Whether the message ends with it. */
  readonly ends: boolean
}

/** A piece as it arrives. */
export interface ArrivedPiece extends Piece {
  /** The number of the next message when it was sent. */
  readonly n: number
}

/** Cuts a message, never within a character. Its first piece has the number `first`. */
export function* piecesOf(text: string, first: number = 0): Generator<Piece, undefined> {
  for (let at = 0, number = first; ; number++) {
    let end = at + PIECE_LENGTH
    if (end >= text.length) {
      yield { number, text: text.slice(at), ends: true }
      return undefined
    }
    if (isHighSurrogate(text.charCodeAt(end - 1))) end--
    yield { number, text: text.slice(at, end), ends: false }
    at = end
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

/**
 * A piece as a frame of its own: no message, which is a JSON object, begins like one. With the number of the next message
 * beside its own, no two pieces of a connection are the same: one that is missing, comes twice or early is noticed.
 */
export function formatPiece({ number, text, ends }: Piece, n: number): string {
  return `${ends ? '.' : '+'}${n},${number}:${text}`
}

const HEAD = /^([+.])(\d+),(\d+):/

/** The piece in a frame; `undefined` where it is a message, or nothing. */
export function parsePiece(frame: string): ArrivedPiece | undefined {
  const head = HEAD.exec(frame)
  return head
    ? { n: Number(head[2]), number: Number(head[3]), text: frame.slice(head[0].length), ends: head[1] === '.' }
    : undefined
}

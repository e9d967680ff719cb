/** UTF-16 units of one piece: small enough that one arrives every few seconds on any link that is of use. */
export const PIECE_LENGTH: number = 16 * 1024

/** A piece of a message. The pieces of a message follow each other. */
export interface Piece {
  readonly text: string
  /** Whether the message ends with it. */
  readonly ends: boolean
}

/** Cuts a message, never within a character. */
export function* piecesOf(text: string): Generator<Piece, undefined> {
  for (let at = 0; ;) {
    let end = at + PIECE_LENGTH
    if (end >= text.length) {
      yield { text: text.slice(at), ends: true }
      return undefined
    }
    if (isHighSurrogate(text.charCodeAt(end - 1))) end--
    yield { text: text.slice(at, end), ends: false }
    at = end
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

/** A piece as a frame of its own: no message, which is a JSON object, begins like one. */
export function formatPiece({ text, ends }: Piece): string {
  return `${ends ? '.' : '+'}${text}`
}

/** The piece in a frame; `undefined` where it is a message. */
export function parsePiece(frame: string): Piece | undefined {
  const [mark] = frame
  return mark === '.' || mark === '+' ? { text: frame.slice(1), ends: mark === '.' } : undefined
}

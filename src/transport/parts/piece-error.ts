/** A piece, or what is said of pieces, that can't be. With what a connection on which it comes is ended. */
export class PieceError extends Error {
  override readonly name: string = 'PieceError'
  /** `out-of-order` where something before it is missing, or it came twice: what has arrived so far is good. */
  readonly code: 'malformed' | 'out-of-order'

  constructor(code: PieceError['code'], message: string) {
    super(message)
    this.code = code
  }
}

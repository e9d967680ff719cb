/**
 * transport/parts: long messages in pieces that are acknowledged, and gone on with after a connection broke. It knows
 * nothing of what they say, and imports only how bytes are counted.
 * @module
 */
export { PartReceiver, type Received } from './part-receiver.ts'
export { PartSender, type Line, type PartSenderEvents } from './part-sender.ts'
export { PieceError } from './piece-error.ts'
export { type ArrivedPiece, formatPiece, parsePiece, PIECE_LENGTH, type Piece, piecesOf } from './pieces.ts'
export type { Progress } from './progress.ts'
export { sourceOf, Transfer, type MessageSource } from './transfer.ts'

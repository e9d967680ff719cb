/**
 * transport: the sync protocol, the transports that carry it, and the client that keeps a store in step with a server.
 * Imports src/errors, src/changes, src/schema, src/store, src/tabs and, for its errors, src/persist.
 * @module
 */
export type * from './protocol/messages.ts'
export { byteLength } from './protocol/byte-length.ts'
export { isDeeper, MAX_DEPTH } from './protocol/depth.ts'
export { endOfString, shapeOf, type TextShape } from './protocol/json-text.ts'
export { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from './protocol/messages.ts'
export {
  assertMessage,
  formatMessage,
  MalformedMessageError,
  parseClientMessage,
  parseServerMessage,
} from './protocol/parse-message.ts'
export type { Addresses, TokenSource, Transport, TransportStatus } from './transport.ts'
export {
  holdFor,
  type Accept,
  type ConnectionHandler,
  type ConnectionRequest,
  type ServerConnection,
} from './connection.ts'
export {
  parsePiece,
  PartReceiver,
  PartSender,
  PieceError,
  sourceOf,
  Transfer,
  type MessageSource,
  type Received,
} from './parts/index.ts'
export { acceptMux, acceptMuxToo } from './mux/index.ts'
export { tabPersistence, type TabPersistenceOptions } from './tab-persistence/index.ts'
export { syncing } from './sync/syncing.ts'
export type { Timers } from './sync/timers.ts'
export {
  bodyBytes,
  bodyParts,
  BodyPausedError,
  createFaults,
  createSseHandler,
  memoryTransport,
  sseTransport,
  tabTransport,
  webSocketTransport,
  type Fault,
  type FaultOdds,
  type Faults,
  type FaultStep,
  type MemoryTransportOptions,
  type SseHandlerOptions,
  type SseTransportOptions,
  type TabTransportOptions,
  type Urls,
  type UrlSource,
  type WebSocketLike,
  type WebSocketTransportOptions,
} from './transports/index.ts'

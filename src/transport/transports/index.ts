/**
 * transport/transports: what carries messages, each kind behind the contract of ../transport.ts, and the server's end of
 * server-sent events. Imports src/errors, src/tabs, ../mux, ../transport.ts and
 * ../connection.ts.
 * @module
 */
export { BodyPausedError, bodyParts } from './body-parts.ts'
export { createFaults, type Fault, type FaultOdds, type Faults, type FaultStep } from './create-faults.ts'
export { memoryTransport, type MemoryTransportOptions } from './memory-transport.ts'
export { bodyBytes, createSseHandler, type SseHandlerOptions } from './sse-server.ts'
export type { Urls, UrlSource } from './server-addresses.ts'
export { sseTransport, type SseTransportOptions } from './sse-transport.ts'
export { tabTransport, type TabTransportOptions } from './tab-transport.ts'
export { type WebSocketLike, webSocketTransport, type WebSocketTransportOptions } from './web-socket-transport.ts'

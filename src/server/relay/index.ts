/**
 * relay: those who come to a server that does not look after their database are passed on to the one that does. Imports
 * src/errors, src/transport, Node, ws, and of the server the contract of logs.
 * @module
 */
export { relayConnections, type RelayOptions } from './relay-connections.ts'
export { MisdirectedError, relayMade, relayRequest } from './relay-request.ts'
export { SENT_BY, sentBy, type Made } from './sent-by.ts'

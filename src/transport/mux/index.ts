/**
 * transport/mux: many connections over one. Imports ../connection.ts, ../transport.ts and what a link is.
 * @module
 */
export { acceptMux, acceptMuxToo } from './accept-mux.ts'
export { formatFrame, type Frame, parseFrame } from './frames.ts'
export { MuxClient } from './mux-client.ts'

/**
 * server/http: the calls over HTTP, as a handler of Web-standard requests, and a Node server for it. Imports of the server
 * what lies beside this folder, and ../ws.
 * @module
 */
export { jwtAuth, type JwtAuthOptions } from './jwt-auth.ts'
export type { Listening, ListenOptions } from './listen.ts'
export type { CorsOptions } from './origins.ts'
export { createServer, type HttpOptions, type RowcastServer } from './server.ts'

/**
 * server/ws: the sync protocol over WebSockets of Node's HTTP server. Imports src/transport and what is beside this folder.
 * @module
 */
export { Life } from './life.ts'
export { refuseUpgrade } from './refuse-upgrade.ts'
export { createUpgrade, type Sockets, type Upgrade } from './upgrade.ts'

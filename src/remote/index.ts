/**
 * remote: read-only databases from a CDN. Imports src/errors, src/schema, src/drivers and src/store.
 * @module
 */
export { openRemote, type RemoteOptions, type RemoteProgress } from './open-remote.ts'

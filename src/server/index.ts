/**
 * server: the sync server: databases decided in one place each, their logs and snapshots, sessions, HTTP, the `rowcast`
 * command. Runs on Node. Imports src/errors, src/changes, src/drivers, src/schema, src/store and src/transport.
 * @module
 */
export type { Permissions, Rule, RuleContext, TablePermissions, User } from './access.ts'
export type { Action, Credentials, ServerOptions } from './create-server.ts'
export { ServerCore } from './create-server.ts'
export { FILTER_LIMITS, type FilterLimits } from './filter-budget.ts'
export type { Log, LogEntry, LogStorage } from './log.ts'
export { LogConflictError, LogUncertainError } from './log-errors.ts'
export type { LogRecord } from './log-record.ts'
export { linearPatterns } from './patterns/index.ts'
export type { SnapshotInfo, SnapshotStorage } from './snapshot-storage.ts'
export {
  fileLogStorage,
  fileSnapshotStorage,
  memoryLogStorage,
  memorySnapshotStorage,
  type FileStorageOptions,
} from './storage/index.ts'
export {
  createServer,
  jwtAuth,
  type CorsOptions,
  type HttpOptions,
  type JwtAuthOptions,
  type Listening,
  type ListenOptions,
  type RowcastServer,
} from './http/index.ts'
export {
  fileStorage,
  jetStreamStorage,
  memoryStorage,
  s3SnapshotStorage,
  s3Storage,
  type JetStreamStorageOptions,
  type S3StorageOptions,
  type Storage,
} from './storage-options.ts'
export { BucketError, type S3Options } from './bucket/index.ts'
export type { NatsCredentials, NatsOptions } from './nats/index.ts'
export { serve, type ServeOptions, type Serving } from './serve.ts'

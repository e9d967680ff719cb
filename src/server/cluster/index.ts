/**
 * cluster: logs that many servers share: records in numbered slots, shards of databases with one owner each, segments and
 * checkpoints in a bucket. Imports src/errors, Node, src/server/bucket, and of the server the contract of logs.
 * @module
 */
export { ClusterLogs, type ClusterOptions } from './cluster-logs.ts'
export { BucketSlotLog } from './bucket-slot-log.ts'
export { Shard, type ShardOptions } from './shard.ts'
export { ShardArchive } from './shard-archive.ts'
export { ShardedLogStorage } from './sharded-log-storage.ts'
export type { ClaimAttempt, SlotLog, SlotLogs, SlotOptions } from './slot-log.ts'

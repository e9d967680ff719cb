/**
 * bucket: objects in a store that speaks S3, and what a server keeps there. Imports src/errors, Node, the client
 * `@aws-sdk/client-s3` when it is used, and of the server the contract of snapshots and the rules of names.
 * @module
 */
export { BucketError } from './bucket-error.ts'
export { bucketSnapshotStorage } from './bucket-snapshot-storage.ts'
export type { ObjectInfo, ObjectOptions, ObjectStore } from './object-store.ts'
export { Patience } from './patience.ts'
export { probeBucket } from './probe.ts'
export { S3ObjectStore } from './s3-object-store.ts'
export type { S3Options } from './s3-options.ts'
export { sha256 } from './sha256.ts'
export { sortableNumber } from './sortable-number.ts'

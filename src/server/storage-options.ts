import { RowcastError } from '../errors/index.ts'
import { bucketSnapshotStorage, S3ObjectStore, type S3Options } from './bucket/index.ts'
import { ClusterLogs, type SlotLogs } from './cluster/index.ts'
import { describeReport } from './describe-report.ts'
import type { LogStorage } from './log.ts'
import { jetStreamSlots, type NatsOptions } from './nats/index.ts'
import type { SnapshotStorage } from './snapshot-storage.ts'
import { fileLogStorage, fileSnapshotStorage, memoryLogStorage, memorySnapshotStorage } from './storage/index.ts'

/** Where a server keeps its logs and its snapshots: the option `storage` of `createServer`. */
export interface Storage {
  readonly logs: LogStorage
  readonly snapshots: SnapshotStorage
}

/** Both in one directory of this machine, made if missing: what was acknowledged survives a power cut. */
export function fileStorage(directory: string): Storage {
  return { logs: fileLogStorage({ directory }), snapshots: fileSnapshotStorage({ directory }) }
}

/** Both in memory, gone with the process: for tests and first steps. */
export function memoryStorage(): Storage {
  return { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() }
}

/** What servers that share their databases are to agree on, and how one of them is reached. */
export interface ClusterStorageOptions {
  /** How many logs all databases share; 16 if not given. It is fixed with the first start: another number is refused. */
  readonly shards?: number | undefined
  /** The least time between two appends to one of them, in milliseconds: fewer requests, and later commits. 0 if not given. */
  readonly commitEveryMs?: number | undefined
  /**
   * Where other servers of the same databases, and clients, reach this one. Each database is then looked after by one of the
   * servers, and the others pass on who comes for it; without it several servers take turns at it.
   */
  readonly advertise?: string | undefined
  /** Told of failures that nobody else hears of; they are printed if not given. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** A bucket that keeps all that a server keeps. */
export interface S3StorageOptions extends S3Options, ClusterStorageOptions {}

/**
 * Both in a bucket, which is all that must survive: what was acknowledged is in it. It has to honour conditional writes,
 * as is seen at the first use. Needs the package `@aws-sdk/client-s3`. Throws RowcastError (`options`) for an address that
 * is none.
 */
export function s3Storage({ shards, commitEveryMs, advertise, onError, ...options }: S3StorageOptions): Storage {
  return clusterStorage(new S3ObjectStore(options), { shards, commitEveryMs, advertise, onError })
}

/** Servers of NATS that keep the newest of the logs, and a bucket that keeps all else. */
export interface JetStreamStorageOptions extends ClusterStorageOptions {
  readonly nats: NatsOptions
  readonly s3: S3Options
  /** Takes fewer than three servers of NATS, or streams that don't outlive the loss of one. */
  readonly relaxed?: boolean | undefined
}

/**
 * The logs in streams of NATS JetStream, for commits in a few milliseconds, until they are put into a bucket; snapshots in the
 * bucket. What is acknowledged is in the memory of most of the servers of NATS. Needs the packages `@nats-io/jetstream`,
 * `@nats-io/transport-node` and `@aws-sdk/client-s3`. Throws RowcastError (`options`) for an address that is none.
 */
export function jetStreamStorage({ nats, s3, relaxed, ...options }: JetStreamStorageOptions): Storage {
  const store = new S3ObjectStore(s3)
  return clusterStorage(store, { ...options, slots: jetStreamSlots({ ...nats, relaxed }, store) })
}

function clusterStorage(
  store: S3ObjectStore,
  { advertise, onError, ...options }: ClusterStorageOptions & { readonly slots?: SlotLogs },
): Storage {
  const url = advertise === undefined ? undefined : checkAdvertised(advertise)
  const report = onError ?? ((error) => process.stderr.write(`${describeReport(error)}\n`))
  return { logs: new ClusterLogs(store, { ...options, url, report }), snapshots: bucketSnapshotStorage(store) }
}

function checkAdvertised(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new RowcastError('options', `'${url}' can't be advertised: give the http: or https: address of this server`)
}

/** Snapshots in a bucket, for a server whose log lies elsewhere. Throws RowcastError (`options`) for an address that is none. */
export function s3SnapshotStorage(options: S3Options): SnapshotStorage {
  return bucketSnapshotStorage(new S3ObjectStore(options))
}

import { createServer, type HttpOptions, type Listening, type ListenOptions, type RowcastServer } from './http/index.ts'
import type { ServerOptions } from './create-server.ts'
import { lockDirectory } from './lock-directory.ts'
import { S3ObjectStore, type S3Options } from './bucket/index.ts'
import { readBucketSecret, readSecret } from './secret.ts'
import {
  fileStorage,
  jetStreamStorage,
  s3SnapshotStorage,
  s3Storage,
  type JetStreamStorageOptions,
  type S3StorageOptions,
} from './storage-options.ts'

/** A server on its port. */
export interface Serving extends Listening, Pick<RowcastServer, 'disconnect'> {}

interface CommonOptions extends Omit<ServerOptions, 'storage' | 'secret'>, HttpOptions, ListenOptions {}

/** A server of one machine. */
interface DirectoryOptions extends CommonOptions {
  /** The directory of the databases, made if missing. It also keeps the secret that positions are made with. */
  readonly directory: string
  /** Where snapshots lie, if not in the directory. */
  readonly snapshots?: S3Options | undefined
}

/** A server of which nothing lies on its machine. */
interface BucketOptions extends CommonOptions {
  /** A bucket that keeps all, the secret too; or servers of NATS, with a bucket for all but the newest of the logs. */
  readonly log: Omit<S3StorageOptions, 'onError'> | Omit<JetStreamStorageOptions, 'onError'>
}

export type ServeOptions = DirectoryOptions | BucketOptions

/**
 * A server with its databases in a directory of this machine, or in a bucket, on a port: what `rowcast serve` runs. `close`
 * ends it gracefully. Rejects with RowcastError where the directory, the bucket or the port can't be had.
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  return 'log' in options ? serveBucket(options) : serveDirectory(options)
}

async function serveBucket({ log, port, host, ...rest }: BucketOptions): Promise<Serving> {
  const { onError } = rest
  const storage = 'nats' in log ? jetStreamStorage({ ...log, onError }) : s3Storage({ ...log, onError })
  try {
    await storage.logs.ready?.()
    const secret = await readBucketSecret(new S3ObjectStore('nats' in log ? log.s3 : log))
    const server = createServer({ ...rest, secret, storage })
    const close = (): Promise<void> => server.close()
    return { ...(await listenOrClose(server, { port, host })), close, disconnect: server.disconnect }
  } catch (error) {
    await storage.logs.close?.()
    throw error
  }
}

async function serveDirectory({ directory, snapshots, port, host, ...rest }: DirectoryOptions): Promise<Serving> {
  const secret = await readSecret(directory)
  const unlock = lockDirectory(directory)
  try {
    const storage = { ...fileStorage(directory), ...(snapshots && { snapshots: s3SnapshotStorage(snapshots) }) }
    const server = createServer({ ...rest, secret, storage })
    const close = (): Promise<void> => server.close().finally(unlock)
    return { ...(await listenOrClose(server, { port, host })), close, disconnect: server.disconnect }
  } catch (error) {
    unlock()
    throw error
  }
}

/** A server that gets no port is closed. */
async function listenOrClose(server: RowcastServer, at: ListenOptions): Promise<Listening> {
  try {
    return await server.listen(at)
  } catch (error) {
    await server.close()
    throw error
  }
}

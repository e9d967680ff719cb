import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  type PutObjectCommandInput,
  type PutObjectCommandOutput,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { afterEach, assert, beforeEach } from 'vitest'
import { S3Server, type Fault, type S3Operation, type S3ServerOptions } from './s3-server/index.ts'

/** The bucket that is there. */
export const Bucket = 'tests'

interface Listing extends Omit<ListObjectsV2CommandOutput, 'Contents' | 'CommonPrefixes'> {
  readonly keys: readonly (string | undefined)[]
  readonly prefixes: readonly (string | undefined)[]
}

/** A server and a client of it, of which tests may put others in their place. */
class S3Seat {
  /** What is done when the test is over, the last first. */
  readonly ends: (() => Promise<unknown> | void)[] = []
  #server: S3Server | undefined
  #client: S3Client | undefined

  get server(): S3Server {
    assert(this.#server, 'There is a server within a test only')
    return this.#server
  }

  set server(server: S3Server) {
    this.#server = server
  }

  get client(): S3Client {
    assert(this.#client, 'There is a client within a test only')
    return this.#client
  }

  set client(client: S3Client) {
    this.#client = client
  }

  async open(options: S3ServerOptions = {}): Promise<S3Server> {
    const opened = await S3Server.open({ buckets: [Bucket], ...options })
    this.ends.push(() => opened.close())
    return opened
  }

  /** A folder for this test, which is removed when all servers on it are closed. */
  async makeFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 's3-server-'))
    this.ends.unshift(() => rm(folder, { recursive: true }))
    return folder
  }

  /** A client that tries everything once. */
  connect(config: S3ClientConfig = {}): S3Client {
    const made = new S3Client({
      endpoint: this.server.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: this.server.credentials,
      maxAttempts: 1,
      ...config,
    })
    this.ends.push(() => made.destroy())
    return made
  }

  /** One fault, at the next request of a kind. */
  failNext(operation: S3Operation, fault: Fault): void {
    const { server } = this
    server.fault = (request) => {
      if (request.operation !== operation) return undefined
      server.fault = undefined
      return fault
    }
  }

  put(Key: string, Body: string | Buffer, more: Partial<PutObjectCommandInput> = {}): Promise<PutObjectCommandOutput> {
    return this.client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
  }

  get(Key: string, more: Partial<GetObjectCommandInput> = {}): Promise<GetObjectCommandOutput> {
    return this.client.send(new GetObjectCommand({ Bucket, Key, ...more }))
  }

  async read(Key: string, more: Partial<GetObjectCommandInput> = {}): Promise<string | undefined> {
    return (await this.get(Key, more)).Body?.transformToString()
  }

  async list(more: Partial<ListObjectsV2CommandInput> = {}): Promise<Listing> {
    const asked = new ListObjectsV2Command({ Bucket, ...more })
    const { Contents = [], CommonPrefixes = [], ...rest } = await this.client.send(asked)
    return { ...rest, keys: Contents.map(({ Key }) => Key), prefixes: CommonPrefixes.map(({ Prefix }) => Prefix) }
  }
}

/** A server with a bucket, and a client of it, made anew for each test of a file. */
export function prepareS3(): S3Seat {
  const seat = new S3Seat()
  beforeEach(async () => {
    seat.server = await seat.open()
    seat.client = seat.connect()
  })
  afterEach(async () => {
    for (const end of seat.ends.splice(0).toReversed()) await end()
  })
  return seat
}

/** How S3 refuses: status and code. */
export async function refusal(asked: Promise<unknown>): Promise<string> {
  const error: unknown = await asked.then(
    () => new Error('It was not refused'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof S3ServiceException)) throw error
  return `${error.$metadata.httpStatusCode} ${error.name}`
}

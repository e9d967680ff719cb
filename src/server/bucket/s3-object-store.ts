import type * as S3 from '@aws-sdk/client-s3'
import type { S3Client, ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-s3'
import { RowcastError } from '../../errors/index.ts'
import { BucketError } from './bucket-error.ts'
import type { ObjectInfo, ObjectOptions, ObjectStore } from './object-store.ts'
import { Patience } from './patience.ts'
import { readAnswer, statusOf } from './s3-answer.ts'
import { parseS3Url, type S3Options } from './s3-options.ts'

type Sdk = typeof S3
type Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = Parameters<
  typeof S3Client.prototype.send<Input, Output>
>[0]

/** How long a store that says nothing is asked again. */
const PATIENCE_MS = 30_000
/**
 * One attempt: what any answer takes, or more of one, and what is sent takes on a slow line. The first is short, since most
 * answers come within a fraction of it, and one that is lost holds up everything behind it; each is twice as long as the
 * one before, up to the longest.
 */
const FIRST_ATTEMPT_MS = 2_000
const ATTEMPT_MS = 10_000
const BYTES_PER_MS = 500
/** As many as S3 takes at once. */
const MOST_DELETED = 1_000

/** A bucket that speaks S3. Its client is `@aws-sdk/client-s3`, which is loaded when it is used first. */
export class S3ObjectStore implements ObjectStore {
  readonly address: string
  readonly #options: S3Options
  readonly #bucket: string
  readonly #prefix: string
  readonly #patienceMs: number
  readonly #attemptMs: number
  #opened: Promise<{ readonly sdk: Sdk; readonly client: S3Client }> | undefined

  /** Throws RowcastError (`options`) for an address that is none. */
  constructor(
    options: S3Options,
    {
      patienceMs = PATIENCE_MS,
      attemptMs = ATTEMPT_MS,
    }: { readonly patienceMs?: number; readonly attemptMs?: number } = {},
  ) {
    const { bucket, prefix } = parseS3Url(options.url)
    this.address = `s3://${bucket}/${prefix}`
    this.#options = options
    this.#bucket = bucket
    this.#prefix = prefix
    this.#patienceMs = patienceMs
    this.#attemptMs = attemptMs
  }

  get(key: string, { signal }: ObjectOptions = {}): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#read(key, signal, this.#patienceMs)
  }

  async put(key: string, bytes: Uint8Array, { signal }: ObjectOptions = {}): Promise<void> {
    const { sdk } = await this.#open()
    const command = new sdk.PutObjectCommand({ ...this.#named(key), Body: bytes, ContentLength: bytes.length })
    await this.#ask('write', key, (attempt) => this.#send(command, attempt), { signal, bytes: bytes.length })
  }

  async create(key: string, bytes: Uint8Array, { signal }: ObjectOptions = {}): Promise<boolean> {
    const { sdk } = await this.#open()
    const command = new sdk.PutObjectCommand({
      ...this.#named(key),
      Body: bytes,
      ContentLength: bytes.length,
      IfNoneMatch: '*',
    })
    while (true) {
      const written = await this.#ask('make', key, (attempt) => this.#send(command, attempt), {
        signal,
        bytes: bytes.length,
        patienceMs: Infinity,
        unmet: undefined,
      })
      if (written) return true
      // What is there may be this very object, of an attempt whose answer was lost. Nothing follows from there being none:
      // it may have been deleted, and a late attempt may still come.
      const there = await this.#read(key, signal, Infinity)
      if (there) return Buffer.compare(there, bytes) === 0
    }
  }

  async *list(prefix: string, options: ObjectOptions & { readonly after?: string } = {}): AsyncGenerator<ObjectInfo> {
    const { after, signal } = options
    const { sdk } = await this.#open()
    let next: string | undefined
    do {
      const command = new sdk.ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: this.#prefix + prefix,
        ...(next === undefined && after !== undefined && { StartAfter: this.#prefix + after }),
        ...(next !== undefined && { ContinuationToken: next }),
      })
      const page = await this.#ask('list', prefix, (attempt) => this.#send(command, attempt), { signal })
      for (const { Key, Size } of page.Contents ?? []) yield { key: Key!.slice(this.#prefix.length), size: Size! }
      next = page.NextContinuationToken
    } while (next !== undefined)
  }

  async delete(keys: readonly string[], { signal }: ObjectOptions = {}): Promise<void> {
    const { sdk } = await this.#open()
    for (let from = 0; from < keys.length; from += MOST_DELETED) {
      const some = keys.slice(from, from + MOST_DELETED)
      const Objects = some.map((key) => ({ Key: this.#prefix + key }))
      const command = new sdk.DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } })
      const { Errors = [] } = await this.#ask('delete', some[0]!, (attempt) => this.#send(command, attempt), { signal })
      const [first] = Errors
      if (first)
        throw new BucketError(`${this.address} did not delete ${Errors.length} objects: ${first.Key} (${first.Code})`)
    }
  }

  async #read(
    key: string,
    signal: AbortSignal | undefined,
    patienceMs: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { sdk } = await this.#open()
    const read = async (attempt: AbortSignal, goesOn: () => void): Promise<Uint8Array<ArrayBuffer>> => {
      const { Body } = await this.#send(new sdk.GetObjectCommand(this.#named(key)), attempt)
      return whole(Body as AsyncIterable<Uint8Array> & { destroy(): void }, attempt, goesOn)
    }
    return this.#ask('read', key, read, { signal, patienceMs, missing: undefined })
  }

  #named(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key }
  }

  async #send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: Command<Input, Output>,
    abortSignal: AbortSignal,
  ): Promise<Output> {
    const { client } = await this.#open()
    return client.send(command, { abortSignal })
  }

  /**
   * Asks until there is an answer. What is missing, or unmet, is what is given for it, or refused. An attempt that goes on
   * has as much time again.
   */
  async #ask<Answer, Otherwise = never>(
    verb: string,
    key: string,
    attempt: (signal: AbortSignal, goesOn: () => void) => Promise<Answer>,
    options: ObjectOptions & {
      readonly bytes?: number
      readonly patienceMs?: number
      readonly missing?: Otherwise
      readonly unmet?: Otherwise
    },
  ): Promise<Answer | Otherwise> {
    const { signal, bytes = 0, patienceMs = this.#patienceMs } = options
    const patience = new Patience(patienceMs)
    for (let attemptMs = FIRST_ATTEMPT_MS; ; attemptMs *= 2) {
      signal?.throwIfAborted()
      const stalled = new AbortController()
      const timer = setTimeout(
        () => stalled.abort(new DOMException('it did not answer in time', 'TimeoutError')),
        Math.min(attemptMs, this.#attemptMs) + Math.ceil(bytes / BYTES_PER_MS),
      )
      try {
        const ended = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal
        return await attempt(ended, () => timer.refresh())
      } catch (error) {
        signal?.throwIfAborted()
        const answer = readAnswer(error)
        if ((answer === 'missing' || answer === 'unmet') && answer in options) return options[answer] as Otherwise
        if (answer === 'again' && (await patience.again(signal))) continue
        throw this.#failure(verb, key, error)
      } finally {
        clearTimeout(timer)
      }
    }
  }

  #failure(verb: string, key: string, cause: unknown): BucketError {
    const status = statusOf(cause)
    const { name, message } = cause as Error
    const why = status === undefined ? message || name : `${status} ${name}${message === '' ? '' : `: ${message}`}`
    return new BucketError(
      `${this.address} could not ${verb} ${JSON.stringify(key)} (${why}): see that the bucket is there, is reached and lets these credentials read, write, list and delete`,
      { status, cause },
    )
  }

  #open(): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
    this.#opened ??= this.#connect()
    return this.#opened
  }

  async #connect(): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
    const { endpoint, credentials, region, pathStyle = endpoint !== undefined } = this.#options
    const sdk = await loadSdk()
    const client = new sdk.S3Client({
      region: region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
      forcePathStyle: pathStyle,
      // Its own attempts meet the object that they have made, and say that it was there.
      maxAttempts: 1,
      // What is written has checksums of its own, and not every store knows these.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials && {
        credentials: {
          accessKeyId: credentials.accessKeyId,
          secretAccessKey: credentials.secretAccessKey,
          ...(credentials.sessionToken !== undefined && { sessionToken: credentials.sessionToken }),
        },
      }),
    })
    return { sdk, client }
  }
}

async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-s3')
  } catch (cause) {
    throw new RowcastError(
      'options',
      'a bucket needs the package @aws-sdk/client-s3: install it (npm install @aws-sdk/client-s3)',
      {
        cause,
      },
    )
  }
}

/** All bytes of a body. An attempt that is given up ends it too. */
async function whole(
  body: AsyncIterable<Uint8Array> & { destroy(): void },
  attempt: AbortSignal,
  goesOn: () => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const end = (): void => body.destroy()
  attempt.addEventListener('abort', end, { once: true })
  try {
    const parts: Uint8Array[] = []
    for await (const part of body) {
      parts.push(part)
      goesOn()
    }
    attempt.throwIfAborted()
    return new Uint8Array(Buffer.concat(parts))
  } finally {
    attempt.removeEventListener('abort', end)
  }
}

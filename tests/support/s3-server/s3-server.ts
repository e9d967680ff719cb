import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Buckets } from './buckets.ts'
import { Connection } from './connection.ts'
import type { Fault, FaultHook, Wait } from './fault.ts'
import { Multipart } from './multipart.ts'
import { operate } from './operations.ts'
import { S3Error } from './s3-error.ts'
import { readRequest, type S3Request } from './s3-request.ts'
import { errorResponse, type S3Response } from './s3-response.ts'
import { verifySignature, type S3Credentials } from './signature.ts'
import { TrafficCounters } from './traffic.ts'

export interface S3ServerOptions {
  /** Any free one if not given. */
  readonly port?: number
  /** Where objects are kept as well, so that a server opened on it later has them; in memory only if not given. */
  readonly folder?: string
  /** Made at start where they are not there. */
  readonly buckets?: readonly string[]
  readonly credentials?: S3Credentials
  /** What goes wrong; nothing if not given. */
  readonly fault?: FaultHook
  /** Headers that it takes no notice of, in lower case, as other stores than S3 do: `if-match`, say. */
  readonly ignores?: readonly string[]
  /** The time here, in milliseconds since 1970. */
  readonly now?: () => number
}

const testCredentials: S3Credentials = { accessKeyId: 'test', secretAccessKey: 'test-secret' }

/**
 * An S3 server on the loopback with path-style addresses: real in all that it answers but for the faults it is told
 * to have. It is strongly consistent: a request is checked and done in one step.
 */
export class S3Server {
  readonly credentials: S3Credentials
  readonly traffic = new TrafficCounters()
  /** What goes wrong; may be set at any time. */
  fault: FaultHook | undefined
  readonly #now: () => number
  readonly #ignores: ReadonlySet<string>
  readonly #buckets: Buckets
  readonly #uploads = new Multipart()
  readonly #underWay = new Set<Promise<void>>()
  readonly #server = createServer((incoming, outgoing) => this.#take(incoming, outgoing))
  #requests = 0
  #isClosed = false

  private constructor({ folder, buckets = [], credentials, fault, ignores, now }: S3ServerOptions) {
    this.credentials = credentials ?? testCredentials
    this.fault = fault
    this.#now = now ?? Date.now
    this.#ignores = new Set(ignores)
    this.#buckets = new Buckets(folder)
    for (const name of buckets) if (!this.#buckets.has(name)) this.#buckets.create(name)
    // A client that takes up an idle connection must not meet its end.
    this.#server.keepAliveTimeout = 0
  }

  static async open(options: S3ServerOptions = {}): Promise<S3Server> {
    const server = new S3Server(options)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject)
      server.#server.listen(options.port ?? 0, '127.0.0.1', resolve)
    })
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Flips the lowest bit of a stored object's byte; its ETag and checksums stay, as they do where a disk rots. */
  flip(bucketName: string, key: string, at: number): void {
    const bucket = this.#buckets.get(bucketName)
    const object = bucket.get(key)
    if (object === undefined || at >= object.body.length) throw new Error(`There is no byte ${at} of ${key} to flip`)
    const body = Buffer.from(object.body)
    body.writeUInt8(body.readUInt8(at) ^ 1, at)
    bucket.put(key, { ...object, body })
  }

  /** Waits until all that came is done, late writes as well. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** Breaks all connections, as a kill does; what is late is not done any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  #take(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const done = this.#handle(incoming, outgoing).finally(() => this.#underWay.delete(done))
    this.#underWay.add(done)
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const connection = new Connection(incoming, outgoing)
    const body = await connection.readBody()
    if (body === undefined) return
    const { method = '', url: target = '', headers } = incoming
    let request: S3Request
    try {
      request = readRequest({ number: ++this.#requests, method, target, headers, body })
    } catch (error) {
      connection.send(errorResponse(error, target), this.#now())
      return
    }
    this.traffic.add(request.operation, { requests: 1, bytesIn: body.length })
    await this.#do(request, connection, this.fault?.(request))
  }

  async #do(request: S3Request, connection: Connection, fault: Fault | undefined): Promise<void> {
    const send = (response: S3Response, bytes?: number): void =>
      this.traffic.add(request.operation, { bytesOut: connection.send(response, this.#now(), bytes) })
    switch (fault?.kind) {
      case undefined:
        send(this.#answer(request))
        return
      case 'answer':
        if (fault.when === 'after') this.#answer(request)
        send(errorResponse(new S3Error(fault.code, 'A fault that the test asked for.'), request.target))
        return
      case 'delay': {
        if (fault.when !== 'after') await waitFor(fault.wait)
        if (this.#isClosed) return
        const response = this.#answer(request)
        if (fault.when === 'after') await waitFor(fault.wait)
        send(response)
        return
      }
      case 'reset':
        if (fault.when === 'after') this.#answer(request)
        connection.reset()
        return
      case 'hang':
        if (fault.when === 'after') this.#answer(request)
        return
      case 'late':
        if (fault.told === 'reset') connection.reset()
        await waitFor(fault.wait)
        if (!this.#isClosed) this.#answer(request)
        return
      case 'flip': {
        if (request.operation === 'GetObject') this.#flipIfThere(request, fault.at)
        const response = this.#answer(request)
        if (request.operation !== 'GetObject' && response.status < 300) this.#flipIfThere(request, fault.at)
        send(response)
        return
      }
      case 'cut':
        send(this.#answer(request), fault.bytes)
    }
  }

  #flipIfThere({ bucket, key }: S3Request, at: number): void {
    const length = this.#buckets.has(bucket) ? this.#buckets.get(bucket).get(key)?.body.length : undefined
    if (length !== undefined && length > 0) this.flip(bucket, key, at % length)
  }

  #answer(request: S3Request): S3Response {
    try {
      const nowMs = this.#now()
      verifySignature(request, this.credentials, nowMs)
      const noticed = Object.entries(request.headers).filter(([name]) => !this.#ignores.has(name))
      const state = { buckets: this.#buckets, uploads: this.#uploads }
      return operate(state, { ...request, headers: Object.fromEntries(noticed) }, nowMs)
    } catch (error) {
      return errorResponse(error, request.target)
    }
  }
}

async function waitFor(wait: Wait): Promise<void> {
  await (typeof wait === 'number' ? pause(wait) : wait)
}

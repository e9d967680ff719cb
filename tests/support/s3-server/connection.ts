import type { IncomingMessage, ServerResponse } from 'node:http'
import type { S3Response } from './s3-response.ts'

/** What a request is answered through. */
export class Connection {
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse

  constructor(incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#incoming = incoming
    this.#outgoing = outgoing
  }

  /** All of the request's body; `undefined` where it was cut on the way. */
  async readBody(): Promise<Buffer | undefined> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of this.#incoming as AsyncIterable<Buffer>) chunks.push(chunk)
    } catch (error) {
      if (this.#incoming.complete) throw error
      return undefined
    }
    return Buffer.concat(chunks)
  }

  /**
   * Answers, and returns how long the body was; where `bytes` are given, the body ends after so many and the
   * connection breaks.
   */
  send(response: S3Response, dateMs: number, bytes?: number): number {
    const { status, headers, body } = response
    const hasBody = this.#incoming.method !== 'HEAD' && status !== 204 && status !== 304
    this.#outgoing.writeHead(status, {
      ...headers,
      Date: new Date(dateMs).toUTCString(),
      ...(status === 204 || status === 304 ? {} : { 'Content-Length': String(body.length) }),
    })
    const part = hasBody ? body.subarray(0, bytes) : Buffer.alloc(0)
    if (bytes === undefined || bytes >= body.length) this.#outgoing.end(part)
    else this.#outgoing.write(part, () => this.#outgoing.destroy())
    return part.length
  }

  reset(): void {
    this.#incoming.socket.resetAndDestroy()
  }
}

import { Random } from './random.ts'
import { S3Server, type Fault, type S3Credentials } from './s3-server/index.ts'

/** What goes wrong with a bucket for a while. */
export type BucketFault =
  /** Requests are answered with 503; of those that were done all the same with `refuse-done`. */
  | 'refuse'
  | 'refuse-done'
  /** Connections break before a request is done, or before it is answered. */
  | 'reset'
  | 'lose-answers'
  /** Requests are never answered, done or not. */
  | 'hang'
  | 'hang-done'
  /** Writes are done seconds after their connections broke. */
  | 'late'
  /** Each request takes 20 to 200 ms more. */
  | 'slow'
  /** There is no server. */
  | 'down'

export const bucketFaults: readonly BucketFault[] = [
  'refuse',
  'refuse-done',
  'reset',
  'lose-answers',
  'hang',
  'hang-done',
  'late',
  'slow',
  'down',
]

/** How late a late write is at most, in milliseconds. */
const LATE_MS = 4_000

/** An S3 server at one address that a test lets fail, and takes down and up again: what was stored is kept in a folder. */
export class FaultyBucket {
  readonly url: string
  readonly credentials: S3Credentials
  readonly #folder: string
  readonly #port: number
  readonly #random: Random
  #server: S3Server | undefined

  private constructor(server: S3Server, folder: string, seed: number) {
    this.url = server.url
    this.credentials = server.credentials
    this.#server = server
    this.#folder = folder
    this.#port = server.port
    this.#random = new Random(seed)
  }

  /** @param name of the bucket */
  static async open(name: string, folder: string, seed: number): Promise<FaultyBucket> {
    return new FaultyBucket(await S3Server.open({ folder, buckets: [name] }), folder, seed)
  }

  /** From now on so many percent of the requests go wrong, instead of what went wrong before. */
  async begin(fault: BucketFault, percent: number): Promise<void> {
    await this.mend()
    if (fault === 'down') await this.close()
    else this.#server!.fault = ({ method }) => (this.#random.chance(percent) ? this.#faultOf(fault, method) : undefined)
  }

  /** Nothing goes wrong any more. */
  async mend(): Promise<void> {
    this.#server ??= await S3Server.open({ folder: this.#folder, port: this.#port })
    this.#server.fault = undefined
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.close()
  }

  #faultOf(fault: Exclude<BucketFault, 'down'>, method: string): Fault | undefined {
    switch (fault) {
      case 'refuse':
        return { kind: 'answer', code: 'SlowDown' }
      case 'refuse-done':
        return { kind: 'answer', code: 'InternalError', when: 'after' }
      case 'reset':
        return { kind: 'reset' }
      case 'lose-answers':
        return { kind: 'reset', when: 'after' }
      case 'hang':
        return { kind: 'hang' }
      case 'hang-done':
        return { kind: 'hang', when: 'after' }
      case 'late':
        return method === 'PUT' ? { kind: 'late', wait: this.#random.int(LATE_MS), told: 'reset' } : undefined
      case 'slow':
        return { kind: 'delay', wait: 20 + this.#random.int(180) }
    }
  }
}

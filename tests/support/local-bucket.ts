import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { LocalProcess, started } from './local-process.ts'
import type { S3Credentials, S3Server, Traffic } from './s3-server/index.ts'

const main = fileURLToPath(new URL('s3-server/main.ts', import.meta.url))

export interface LocalBucketOptions {
  readonly bucket: string
  /** Any free one if not given. */
  readonly port?: number
  /** Where objects are kept as well: one started on it later has them. In memory only if not given. */
  readonly folder?: string
  /** How long each request takes at least, in milliseconds; 0 if not given. */
  readonly delayMs?: number
}

/** An S3 server for tests in a process of its own, which ends with this one. */
export class LocalBucket extends LocalProcess implements Pick<S3Server, 'url' | 'credentials'> {
  readonly credentials: S3Credentials

  private constructor(url: string, credentials: S3Credentials, child: ChildProcess) {
    super(url, child)
    this.credentials = credentials
  }

  static async start({ bucket, port = 0, folder, delayMs = 0 }: LocalBucketOptions): Promise<LocalBucket> {
    const args = [main, '--bucket', bucket, '--port', `${port}`, '--delay-ms', `${delayMs}`]
    const child = spawn(process.execPath, folder === undefined ? args : [...args, '--folder', folder], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const line = await started(child, 'the S3 server')
    const { url, ...credentials } = JSON.parse(line) as S3Credentials & { readonly url: string }
    return new LocalBucket(url, credentials, child)
  }

  /** All requests so far, and their bytes. */
  async traffic(): Promise<Traffic> {
    const answered = once(this.child, 'message')
    this.child.send({ ask: 'traffic' })
    const [traffic] = (await answered) as [Traffic]
    return traffic
  }
}

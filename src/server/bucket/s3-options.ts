import { RowcastError } from '../../errors/index.ts'

/** Where a bucket is, and how it is reached. */
export interface S3Options {
  /** `s3://bucket/prefix`: what belongs to these servers lies under the prefix, and nothing else may. */
  readonly url: string
  /** Of another store than Amazon's: `https://…`. Buckets are then part of the path, unless `pathStyle` is `false`. */
  readonly endpoint?: string | undefined
  /** That of the environment (`AWS_REGION`), or `us-east-1`, if not given. */
  readonly region?: string | undefined
  readonly pathStyle?: boolean | undefined
  /** Those of the environment, of the shared files or of the machine, as Amazon's SDK finds them, if not given. */
  readonly credentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string | undefined
  }
}

/** Bucket and prefix of an address; the prefix ends with a slash unless it is empty. Throws RowcastError (`options`). */
export function parseS3Url(url: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket, path = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(url) ?? []
  if (bucket === undefined)
    throw new RowcastError('options', `${JSON.stringify(url)} is no bucket: give s3://bucket or s3://bucket/prefix`)
  const names = path.split('/').filter((name) => name !== '')
  if (names.some((name) => name === '.' || name === '..' || !/^[\w.=@-]+$/.test(name)))
    throw new RowcastError(
      'options',
      `the prefix of ${JSON.stringify(url)} has a name that is none: use A-Z a-z 0-9 . _ = @ - between slashes`,
    )
  return { bucket, prefix: names.map((name) => `${name}/`).join('') }
}

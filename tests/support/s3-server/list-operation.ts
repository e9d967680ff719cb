import type { Bucket, ListOptions } from './bucket.ts'
import { S3Error } from './s3-error.ts'
import type { S3Request } from './s3-request.ts'
import { xmlResponse, type S3Response } from './s3-response.ts'

/** S3's own limit. */
const MAX_KEYS = 1000

/** Answers ListObjectsV2. */
export function listObjects(bucket: Bucket, { bucket: name, query }: S3Request): S3Response {
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const token = query.get('continuation-token') ?? undefined
  const startAfter = query.get('start-after') ?? undefined
  const maxKeys = Number(query.get('max-keys') ?? MAX_KEYS)
  if (!(Number.isInteger(maxKeys) && maxKeys >= 0)) throw new S3Error('InvalidArgument', 'max-keys is a whole number.')
  const after = findAfter(token, startAfter)
  const { listed, next } = bucket.list({ prefix, delimiter, after, limit: Math.min(maxKeys, MAX_KEYS) })
  const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : (text: string): string => text
  return xmlResponse('ListBucketResult', {
    Name: name,
    Prefix: encode(prefix),
    Delimiter: delimiter === '' ? undefined : encode(delimiter),
    StartAfter: startAfter === undefined ? undefined : encode(startAfter),
    EncodingType: query.get('encoding-type') ?? undefined,
    MaxKeys: maxKeys,
    KeyCount: listed.length,
    IsTruncated: next !== undefined,
    ContinuationToken: token,
    NextContinuationToken: next === undefined ? undefined : Buffer.from(next).toString('base64url'),
    Contents: listed
      .filter((each) => 'key' in each)
      .map(({ key, object }) => ({
        Key: encode(key),
        LastModified: new Date(object.modifiedMs).toISOString(),
        ETag: object.etag,
        Size: object.body.length,
        StorageClass: 'STANDARD',
      })),
    CommonPrefixes: listed
      .filter((each) => 'commonPrefix' in each)
      .map(({ commonPrefix }) => ({ Prefix: encode(commonPrefix) })),
  })
}

/** A token goes before a key to start after. */
function findAfter(token: string | undefined, startAfter: string | undefined): ListOptions['after'] {
  if (token !== undefined) return { position: Buffer.from(token, 'base64url').toString() }
  return startAfter === undefined ? undefined : { key: startAfter }
}

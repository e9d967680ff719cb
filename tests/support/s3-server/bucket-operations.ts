import type { Bucket } from './bucket.ts'
import type { Buckets } from './buckets.ts'
import { verifyChecksums } from './checksums.ts'
import { S3Error } from './s3-error.ts'
import type { S3Request } from './s3-request.ts'
import { xmlResponse, type S3Response } from './s3-response.ts'
import { readElements, readText } from './xml.ts'

/** S3's own limit of one DeleteObjects. */
const MAX_DELETED = 1000

export function listBuckets(buckets: Buckets): S3Response {
  const Bucket = buckets.list().map(({ name, bucket }) => ({
    Name: name,
    CreationDate: new Date(bucket.createdMs).toISOString(),
  }))
  return xmlResponse('ListAllMyBucketsResult', { Owner: { ID: 'tests', DisplayName: 'tests' }, Buckets: { Bucket } })
}

export function deleteObjects(bucket: Bucket, request: S3Request): S3Response {
  verifyChecksums(request.body, request.headers)
  const xml = request.body.toString()
  const keys = readElements(xml, 'Object').map((object) => readText(object, 'Key') ?? '')
  if (keys.length === 0 || keys.length > MAX_DELETED || keys.includes(''))
    throw new S3Error('MalformedXML', `1 to ${MAX_DELETED} keys are deleted at once.`)
  for (const key of keys) bucket.delete(key)
  return xmlResponse('DeleteResult', { Deleted: readText(xml, 'Quiet') === 'true' ? [] : keys.map((Key) => ({ Key })) })
}

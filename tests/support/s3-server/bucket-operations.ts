import type { Bucket, StoredObject } from './bucket.ts'
import type { Buckets } from './buckets.ts'
import { verifyChecksums } from './checksums.ts'
import { checkMatch } from './conditions.ts'
import { S3Error, type S3ErrorCode } from './s3-error.ts'
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

/** Deletes each object on its own: what is refused for one stops no other. */
export function deleteObjects(bucket: Bucket, request: S3Request): S3Response {
  verifyChecksums(request.body, request.headers)
  const xml = request.body.toString()
  const asked = readElements(xml, 'Object').map((each) => ({
    Key: readText(each, 'Key') ?? '',
    etag: readText(each, 'ETag'),
  }))
  if (asked.length === 0 || asked.length > MAX_DELETED || asked.some(({ Key }) => Key === ''))
    throw new S3Error('MalformedXML', `1 to ${MAX_DELETED} keys are deleted at once.`)
  const Deleted: { Key: string }[] = []
  const errors: { Key: string; Code: S3ErrorCode; Message: string }[] = []
  for (const { Key, etag } of asked) {
    const error = findRefusal(etag, Key, bucket.get(Key))
    if (error === undefined) {
      bucket.delete(Key)
      Deleted.push({ Key })
    } else errors.push({ Key, Code: error.code, Message: error.message })
  }
  return xmlResponse('DeleteResult', { Deleted: readText(xml, 'Quiet') === 'true' ? [] : Deleted, Error: errors })
}

function findRefusal(etag: string | undefined, key: string, present: StoredObject | undefined): S3Error | undefined {
  try {
    checkMatch(etag, key, present)
    return undefined
  } catch (error) {
    if (error instanceof S3Error) return error
    throw error
  }
}

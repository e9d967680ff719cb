import { deleteObjects, listBuckets } from './bucket-operations.ts'
import type { Buckets } from './buckets.ts'
import { listObjects } from './list-operation.ts'
import type { Multipart } from './multipart.ts'
import { abortUpload, completeUpload, createUpload, uploadPart } from './multipart-operations.ts'
import { copyObject, deleteObject, getObject, putObject } from './object-operations.ts'
import { S3Error } from './s3-error.ts'
import type { S3Request } from './s3-request.ts'
import { emptyResponse, xmlResponse, type S3Response } from './s3-response.ts'

/** What a server has. */
export interface S3State {
  readonly buckets: Buckets
  readonly uploads: Multipart
}

/**
 * Does what a request asks for, in one step that nothing comes between.
 * @throws S3Error what S3 refuses.
 */
export function operate({ buckets, uploads }: S3State, request: S3Request, nowMs: number): S3Response {
  const { operation, bucket: name } = request
  if (operation === 'ListBuckets') return listBuckets(buckets)
  if (operation === 'CreateBucket') {
    buckets.create(name)
    return emptyResponse(200, { Location: `/${name}` })
  }
  if (operation === 'DeleteBucket') {
    buckets.delete(name)
    return emptyResponse(204)
  }
  const bucket = buckets.get(name)
  switch (operation) {
    case 'HeadBucket':
      return emptyResponse(200)
    case 'GetBucketLocation':
      return xmlResponse('LocationConstraint', {})
    case 'ListObjectsV2':
      return listObjects(bucket, request)
    case 'DeleteObjects':
      return deleteObjects(bucket, request)
    case 'GetObject':
    case 'HeadObject':
      return getObject(bucket, request)
    case 'PutObject':
      return putObject(bucket, request, nowMs)
    case 'CopyObject':
      return copyObject(bucket, (source) => buckets.get(source), request, nowMs)
    case 'DeleteObject':
      return deleteObject(bucket, request)
    case 'CreateMultipartUpload':
      return createUpload(uploads, request)
    case 'UploadPart':
      return uploadPart(uploads, request)
    case 'CompleteMultipartUpload':
      return completeUpload(uploads, bucket, request, nowMs)
    case 'AbortMultipartUpload':
      return abortUpload(uploads, request)
    case 'Unknown':
      throw new S3Error('NotImplemented', `${request.method} ${request.target} is not known here.`)
  }
}

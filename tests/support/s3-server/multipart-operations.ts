import type { Bucket } from './bucket.ts'
import { checkWrite } from './conditions.ts'
import type { Multipart, NamedPart } from './multipart.ts'
import { checkKey, takeBody, takeHeaders } from './object-operations.ts'
import type { S3Request } from './s3-request.ts'
import { emptyResponse, xmlResponse, type S3Response } from './s3-response.ts'
import { readElements, readText } from './xml.ts'

export function createUpload(uploads: Multipart, request: S3Request): S3Response {
  const { bucket, key } = request
  checkKey(key)
  const UploadId = uploads.begin(bucket, key, takeHeaders(request))
  return xmlResponse('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId })
}

export function uploadPart(uploads: Multipart, request: S3Request): S3Response {
  const part = takeBody(request)
  const number = Number(request.query.get('partNumber'))
  uploads.put(uploadId(request), request.bucket, request.key, number, part)
  return emptyResponse(200, { ETag: part.etag, ...part.checksums })
}

export function completeUpload(uploads: Multipart, bucket: Bucket, request: S3Request, nowMs: number): S3Response {
  const id = uploadId(request)
  const { body, etag, headers } = uploads.join(id, request.bucket, request.key, readParts(request))
  // Refused, the upload can be completed once more.
  checkWrite(request, bucket.get(request.key))
  bucket.put(request.key, { body, etag, headers, checksums: {}, modifiedMs: nowMs })
  uploads.end(id, request.bucket, request.key)
  return xmlResponse('CompleteMultipartUploadResult', { Bucket: request.bucket, Key: request.key, ETag: etag })
}

export function abortUpload(uploads: Multipart, request: S3Request): S3Response {
  uploads.end(uploadId(request), request.bucket, request.key)
  return emptyResponse(204)
}

function readParts(request: S3Request): NamedPart[] {
  return readElements(request.body.toString(), 'Part').map((part) => ({
    number: Number(readText(part, 'PartNumber')),
    etag: readText(part, 'ETag') ?? '',
  }))
}

function uploadId(request: S3Request): string {
  return request.query.get('uploadId') ?? ''
}

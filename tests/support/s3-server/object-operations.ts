import type { Bucket, StoredObject } from './bucket.ts'
import { etagOf, verifyChecksums } from './checksums.ts'
import { decodeBody } from './chunked-body.ts'
import { checkMatch, checkRead, checkWrite } from './conditions.ts'
import { readRange } from './range.ts'
import { S3Error, decodeUri } from './s3-error.ts'
import { header, type S3Request } from './s3-request.ts'
import { emptyResponse, xmlResponse, type S3Response } from './s3-response.ts'

/** S3's own limit, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024

const keptNames = new Set(
  'cache-control content-disposition content-encoding content-language content-type expires'.split(' '),
)

/** Takes a body that came out of its framing and checks it: its bytes, and the checksums it came with. */
export function takeBody(request: S3Request): Pick<StoredObject, 'body' | 'etag' | 'checksums'> {
  const { body, trailers } = decodeBody(request)
  return { body, etag: etagOf(body), checksums: verifyChecksums(body, { ...request.headers, ...trailers }) }
}

/** What is kept of a request's headers with the object that it makes. */
export function takeHeaders(request: S3Request): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of Object.keys(request.headers)) {
    const value = header(request, name)
    if (value !== undefined && (keptNames.has(name) || name.startsWith('x-amz-meta-'))) kept[name] = value
  }
  // The framing of the request is none of the object.
  const encoding = (kept['content-encoding'] ?? '').split(',').filter((each) => each.trim() !== 'aws-chunked')
  delete kept['content-encoding']
  if (encoding.join('') !== '') kept['content-encoding'] = encoding.join(',').trim()
  return kept
}

/** @throws S3Error KeyTooLongError. */
export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new S3Error('KeyTooLongError', 'A key has 1,024 bytes at most.')
}

export function putObject(bucket: Bucket, request: S3Request, nowMs: number): S3Response {
  checkKey(request.key)
  const taken = takeBody(request)
  checkWrite(request, bucket.get(request.key))
  bucket.put(request.key, { ...taken, headers: takeHeaders(request), modifiedMs: nowMs })
  return emptyResponse(200, { ETag: taken.etag, ...taken.checksums })
}

export function copyObject(
  bucket: Bucket,
  findBucket: (name: string) => Bucket,
  request: S3Request,
  nowMs: number,
): S3Response {
  checkKey(request.key)
  const path = decodeUri(header(request, 'x-amz-copy-source') ?? '')
  const [, name = '', key = ''] = /^\/?([^/]+)\/(.+)$/s.exec(path) ?? []
  const source = readObject(findBucket(name), key)
  checkRead(request, source, 'x-amz-copy-source-')
  checkWrite(request, bucket.get(request.key))
  const headers = header(request, 'x-amz-metadata-directive') === 'REPLACE' ? takeHeaders(request) : source.headers
  // A copy is written at once, whatever its source was.
  const etag = etagOf(source.body)
  bucket.put(request.key, { ...source, etag, headers, modifiedMs: nowMs })
  return xmlResponse('CopyObjectResult', { ETag: etag, LastModified: new Date(nowMs).toISOString() })
}

/** Answers HeadObject as well: the server sends no bytes for it. */
export function getObject(bucket: Bucket, request: S3Request): S3Response {
  const object = readObject(bucket, request.key)
  checkRead(request, object)
  const range = readRange(header(request, 'range'), object.body.length)
  const headers = {
    'content-type': 'binary/octet-stream',
    ...object.headers,
    ETag: object.etag,
    'Last-Modified': new Date(object.modifiedMs).toUTCString(),
    'Accept-Ranges': 'bytes',
  }
  if (range !== undefined)
    return {
      status: 206,
      headers: { ...headers, 'Content-Range': `bytes ${range.start}-${range.end - 1}/${object.body.length}` },
      body: object.body.subarray(range.start, range.end),
    }
  const checksums = header(request, 'x-amz-checksum-mode') === 'ENABLED' ? object.checksums : {}
  return { status: 200, headers: { ...headers, ...checksums }, body: object.body }
}

/** Deleting what is not there succeeds, unless it had to be something. */
export function deleteObject(bucket: Bucket, request: S3Request): S3Response {
  checkMatch(header(request, 'if-match'), request.key, bucket.get(request.key))
  bucket.delete(request.key)
  return emptyResponse(204)
}

function readObject(bucket: Bucket, key: string): StoredObject {
  const object = bucket.get(key)
  if (object === undefined) throw new S3Error('NoSuchKey', `There is no object ${key}.`)
  return object
}

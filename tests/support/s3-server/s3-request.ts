import type { IncomingHttpHeaders } from 'node:http'
import { decodeUri } from './s3-error.ts'

/** What a request asks for, by the names that S3's API has. */
export type S3Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CopyObject'
  | 'CreateBucket'
  | 'CreateMultipartUpload'
  | 'DeleteBucket'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'GetBucketLocation'
  | 'GetObject'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListBuckets'
  | 'ListObjectsV2'
  | 'PutObject'
  | 'UploadPart'
  | 'Unknown'

/** A request that has come in whole. */
export interface S3Request {
  /** Its place among all that came, from 1. */
  readonly number: number
  readonly operation: S3Operation
  readonly method: string
  /** Empty where none is named. */
  readonly bucket: string
  readonly key: string
  /** Path and query as they were sent. */
  readonly target: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** As it was sent, in whatever framing. */
  readonly body: Buffer
}

type Read = Pick<S3Request, 'number' | 'method' | 'target' | 'headers' | 'body'>

/**
 * Reads what a request with a path-style address asks for.
 * @throws S3Error InvalidURI
 */
export function readRequest(read: Read): S3Request {
  const [path = '', search = ''] = read.target.split('?')
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? []
  const request = {
    ...read,
    bucket: decodeUri(bucket),
    key: decodeUri(key),
    // A plus sign is itself here, unlike in a form.
    query: new URLSearchParams(search.replaceAll('+', '%2B')),
  }
  return { ...request, operation: findOperation(request) }
}

/** A header's value, as one text. */
export function header(request: Pick<S3Request, 'headers'>, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

/** A query of any other name asks for something that is not known here: an ACL, a version, a tag. */
const knownQueries = new Set(
  (
    'x-id list-type prefix delimiter start-after continuation-token max-keys encoding-type fetch-owner ' +
    'uploads uploadId partNumber delete location max-buckets'
  ).split(' '),
)

function findOperation(request: Omit<S3Request, 'operation'>): S3Operation {
  const { query } = request
  if ([...query.keys()].some((name) => !knownQueries.has(name))) return 'Unknown'
  if (request.bucket === '') return request.method === 'GET' ? 'ListBuckets' : 'Unknown'
  return request.key === '' ? findBucketOperation(request) : findObjectOperation(request)
}

function findBucketOperation({ method, query }: Omit<S3Request, 'operation'>): S3Operation {
  if (method === 'GET' && query.has('location')) return 'GetBucketLocation'
  if (method === 'GET' && query.get('list-type') === '2') return 'ListObjectsV2'
  if (method === 'POST' && query.has('delete')) return 'DeleteObjects'
  if (method === 'PUT') return 'CreateBucket'
  if (method === 'HEAD') return 'HeadBucket'
  return method === 'DELETE' ? 'DeleteBucket' : 'Unknown'
}

function findObjectOperation({ method, query, headers }: Omit<S3Request, 'operation'>): S3Operation {
  const isCopy = headers['x-amz-copy-source'] !== undefined
  if (query.has('uploads')) return method === 'POST' ? 'CreateMultipartUpload' : 'Unknown'
  if (query.has('uploadId')) {
    if (method === 'PUT' && query.has('partNumber')) return isCopy ? 'Unknown' : 'UploadPart'
    if (method === 'POST') return 'CompleteMultipartUpload'
    return method === 'DELETE' ? 'AbortMultipartUpload' : 'Unknown'
  }
  if (query.has('partNumber')) return 'Unknown'
  if (method === 'PUT') return isCopy ? 'CopyObject' : 'PutObject'
  if (method === 'GET') return 'GetObject'
  if (method === 'HEAD') return 'HeadObject'
  return method === 'DELETE' ? 'DeleteObject' : 'Unknown'
}

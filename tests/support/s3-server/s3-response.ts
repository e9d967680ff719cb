import { S3Error } from './s3-error.ts'
import { writeXml, type XmlElements } from './xml.ts'

export interface S3Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** What HEAD has no bytes of, though their number is told. */
  readonly body: Buffer
}

export function emptyResponse(status: number, headers: Readonly<Record<string, string>> = {}): S3Response {
  return { status, headers, body: Buffer.alloc(0) }
}

export function xmlResponse(
  root: string,
  content: XmlElements,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): S3Response {
  return { status, headers: { 'Content-Type': 'application/xml', ...headers }, body: writeXml(root, content) }
}

/** An error as S3 tells it; one that is not S3's own is thrown on. */
export function errorResponse(error: unknown, resource: string): S3Response {
  if (!(error instanceof S3Error)) throw error
  if (error.status === 304) return emptyResponse(304, error.headers)
  const content = { Code: error.code, Message: error.message, Resource: resource }
  return xmlResponse('Error', content, error.status, error.headers)
}

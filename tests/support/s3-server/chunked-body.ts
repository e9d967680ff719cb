import { S3Error } from './s3-error.ts'
import { header, type S3Request } from './s3-request.ts'

/** A body out of its framing, and the headers that came after it. */
export interface DecodedBody {
  readonly body: Buffer
  readonly trailers: Readonly<Record<string, string>>
}

/**
 * Takes a body out of the `aws-chunked` framing in which clients send streams; another body is returned as it is.
 * @throws S3Error IncompleteBody where chunks are missing or cut; NotImplemented where each chunk is signed.
 */
export function decodeBody(request: S3Request): DecodedBody {
  const kind = header(request, 'x-amz-content-sha256') ?? ''
  if (!kind.startsWith('STREAMING-')) return { body: request.body, trailers: {} }
  if (!kind.startsWith('STREAMING-UNSIGNED-PAYLOAD'))
    throw new S3Error('NotImplemented', 'Chunks that are signed one by one are not known here.')
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const { line, next } = readLine(request.body, at)
    const size = /^[\da-f]+(?=;|$)/i.exec(line)?.[0]
    if (size === undefined) throw incomplete(`a chunk begins with ${JSON.stringify(line)}`)
    const end = next + Number.parseInt(size, 16)
    at = next
    if (end === next) break
    chunks.push(request.body.subarray(next, end))
    if (request.body.toString('latin1', end, end + 2) !== '\r\n') throw incomplete(`a chunk is cut at byte ${end}`)
    at = end + 2
  }
  const body = Buffer.concat(chunks)
  const length = header(request, 'x-amz-decoded-content-length')
  if (length !== undefined && Number(length) !== body.length)
    throw incomplete(`${length} bytes were announced, ${body.length} came`)
  return { body, trailers: readTrailers(request.body, at) }
}

function readTrailers(framed: Buffer, start: number): Record<string, string> {
  const trailers: Record<string, string> = {}
  for (const line of framed.toString('latin1', start).split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim()
  }
  return trailers
}

function readLine(framed: Buffer, start: number): { readonly line: string; readonly next: number } {
  const end = framed.indexOf('\r\n', start)
  if (end < 0) throw incomplete('the last chunk is missing')
  return { line: framed.toString('latin1', start, end), next: end + 2 }
}

function incomplete(why: string): S3Error {
  return new S3Error('IncompleteBody', `The chunked body is not whole: ${why}.`)
}

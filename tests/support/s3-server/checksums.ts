import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { S3Error } from './s3-error.ts'

/** How a checksum of each kind is computed, as the base64 that its header has. */
const algorithms: Readonly<Record<string, (data: Buffer) => string>> = {
  'content-md5': (data) => createHash('md5').update(data).digest('base64'),
  'x-amz-checksum-crc32': (data) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(crc32(data))
    return bytes.toString('base64')
  },
  'x-amz-checksum-sha1': (data) => createHash('sha1').update(data).digest('base64'),
  'x-amz-checksum-sha256': (data) => createHash('sha256').update(data).digest('base64'),
}

/** Headers beside the checksums that begin as they do. */
const others = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-mode', 'x-amz-checksum-type'])

/** Checksums by the headers that carry them. */
export type Checksums = Readonly<Record<string, string>>

/**
 * Checks a body against all checksums that came with it, and returns those that are kept with the object.
 * @throws S3Error BadDigest; NotImplemented for an algorithm that is not known here.
 */
export function verifyChecksums(body: Buffer, headers: Readonly<Record<string, unknown>>): Checksums {
  const kept: Record<string, string> = {}
  for (const [name, sent] of Object.entries(headers)) {
    if (typeof sent !== 'string' || others.has(name)) continue
    if (name !== 'content-md5' && !name.startsWith('x-amz-checksum-')) continue
    const compute = algorithms[name]
    if (compute === undefined) throw new S3Error('NotImplemented', `There is no ${name} here.`)
    if (compute(body) !== sent) throw new S3Error('BadDigest', `The body does not have the ${name} that it came with.`)
    if (name !== 'content-md5') kept[name] = sent
  }
  return kept
}

/** The ETag of an object that was written at once, in its quotes. */
export function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`
}

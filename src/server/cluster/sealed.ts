import { createHash } from 'node:crypto'
import { RowcastError } from '../../errors/index.ts'

const MAGIC = Buffer.from('rowcast1')
const DIGEST_BYTES = 16
const HEAD = MAGIC.length + DIGEST_BYTES

/** Bytes that tell whether they are as they were written: `rowcast1`, the first 16 bytes of their SHA-256, and they. */
export function seal(body: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, digestOf(body), body])
}

/** What was sealed. Throws RowcastError (`log`) where it is nothing that was, or not as it was. */
export function unseal(bytes: Uint8Array, where: string): Buffer {
  const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (!given.subarray(0, MAGIC.length).equals(MAGIC))
    throw new RowcastError(
      'log',
      `${where} is nothing that this version wrote: a newer rowcast may have, or another program`,
    )
  const body = given.subarray(HEAD)
  if (!digestOf(body).equals(given.subarray(MAGIC.length, HEAD)))
    throw new RowcastError('log', `${where} is not as it was written: restore it from a copy`)
  return body
}

/** The digest of sealed bytes and of all that went before them, whose digest is given; that of nothing is empty. */
export function chainDigest(before: string, sealed: Uint8Array): string {
  return digestOf(Buffer.concat([Buffer.from(before), sealed.subarray(0, HEAD)])).toString('base64url')
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, DIGEST_BYTES)
}

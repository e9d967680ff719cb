import { createHash } from 'node:crypto'

/** Of SHA-256. Positions have a digest in them, and are to be short. */
export const DIGEST_BYTES = 12

/** The digest of the history that ends with an entry: the entry names that of the one before it, so it stands for all. */
export function digestOf(payload: string): string {
  return createHash('sha256').update(payload).digest().subarray(0, DIGEST_BYTES).toString('base64url')
}

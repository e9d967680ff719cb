/** What an answer of S3, or none, means for who asked. */
export type S3Answer =
  /** There is no such object. */
  | 'missing'
  /** The condition does not hold. */
  | 'unmet'
  /** Nobody knows whether it was done, or it was not done now: ask again. */
  | 'again'
  /** It will not be done, however often it is asked for. */
  | 'refused'

/** Refusals with a status of their own that the next attempt may not meet. */
const passing = new Set([
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'IncompleteBody',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
])

/** Reads what a request was answered with by its status; names are for what has none of its own. */
export function readAnswer(error: unknown): S3Answer {
  const status = statusOf(error)
  const name = error instanceof Error ? error.name : ''
  if (status === undefined || status >= 500 || status === 409 || status === 429 || passing.has(name)) return 'again'
  if (status === 412) return 'unmet'
  return status === 404 && name !== 'NoSuchBucket' ? 'missing' : 'refused'
}

/** The status of an answer, `undefined` where there was none. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode
}

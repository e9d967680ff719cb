import { RowcastError } from '../errors/index.ts'
import { PersistenceError } from './persistence-error.ts'
import type { QuotaEstimate } from './persistence.ts'

/** What browsers and Node call it when there is no space: a DOMException's name, a system error's code. */
const outOfSpace = new Set<unknown>(['QuotaExceededError', 'ENOSPC', 'EDQUOT'])

/** What to throw for a failure of the platform while doing something (`appending records`) to a storage by this name. */
export async function storageFailure(
  cause: unknown,
  what: string,
  name: string,
  estimate: () => Promise<QuotaEstimate | undefined>,
): Promise<RowcastError> {
  if (cause instanceof RowcastError) return cause
  const reason = cause instanceof Error || cause instanceof DOMException ? cause.message : String(cause)
  if (!isOutOfSpace(cause)) {
    return new PersistenceError('persistence-failed', `${what} to ${name} failed: ${reason}`, { cause })
  }
  const now = await estimate().catch(() => undefined)
  const used = now
    ? `${now.usage} bytes are in use, of ${now.quota} that the platform tells of`
    : 'the platform does not tell how much is in use'
  return new PersistenceError(
    'quota',
    `${what} to ${name} failed for want of space (${used}): nothing of it was kept; free space and try again`,
    { cause, estimate: now },
  )
}

/** Whether the platform failed for want of space. */
export function isOutOfSpace(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  return outOfSpace.has(Reflect.get(error, 'name')) || outOfSpace.has(Reflect.get(error, 'code'))
}

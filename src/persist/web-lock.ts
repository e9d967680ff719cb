import { inUse } from './open-wait.ts'
import { PersistenceError } from './persistence-error.ts'

/** A page that was just left gives up its locks a moment later. */
const GRACE_MS = 500

/** The locks that this page, or worker, has. */
const ours = new Set<string>()

/**
 * Takes a Web Lock, waiting for whoever has it, and gives what releases it; the browser does so itself when the tab ends.
 * Rejects with `persistence-in-use` if another session keeps it, with `persistence-unavailable` where there are no Web Locks.
 */
export async function takeWebLock(lock: string, name: string, waitMs = 0): Promise<() => void> {
  if (typeof navigator === 'undefined' || !navigator.locks) {
    throw new PersistenceError(
      'persistence-unavailable',
      `${name} can't be locked against other tabs: serve the page over HTTPS or from localhost, where browsers have Web Locks`,
    )
  }
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(lock, { signal: AbortSignal.timeout(Math.max(waitMs, GRACE_MS)) }, () => {
        ours.add(lock)
        return new Promise<void>((release) =>
          resolve(() => {
            ours.delete(lock)
            release()
          }),
        )
      })
      .catch((error: unknown) => {
        reject(refusal(lock, name, error))
      })
  })
}

function refusal(lock: string, name: string, cause: unknown): Error {
  const isTaken = cause instanceof DOMException && (cause.name === 'TimeoutError' || cause.name === 'AbortError')
  if (!isTaken) return cause instanceof Error ? cause : new Error(String(cause))
  const others = 'in another tab: close that one, or let the tabs share it by tabPersistence of rowcast/transport'
  return inUse(name, ours.has(lock), others, cause)
}

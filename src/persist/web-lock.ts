import { PersistenceError } from './persistence-error.ts'

/** A page that was just left gives up its locks a moment later. */
const GRACE_MS = 500

/**
 * Takes a Web Lock and gives what releases it; the browser does so itself when the tab ends. Rejects with
 * `persistence-in-use` if another session keeps it, with `persistence-unavailable` where there are no Web Locks.
 */
export async function takeWebLock(lock: string, name: string): Promise<() => void> {
  if (typeof navigator === 'undefined' || !navigator.locks) {
    throw new PersistenceError(
      'persistence-unavailable',
      `${name} can't be locked against other tabs: serve the page over HTTPS or from localhost, where browsers have Web Locks`,
    )
  }
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(lock, { signal: AbortSignal.timeout(GRACE_MS) }, () => new Promise<void>((release) => resolve(release)))
      .catch((error: unknown) => {
        reject(refusal(name, error))
      })
  })
}

function refusal(name: string, cause: unknown): Error {
  const isTaken = cause instanceof DOMException && (cause.name === 'TimeoutError' || cause.name === 'AbortError')
  if (!isTaken) return cause instanceof Error ? cause : new Error(String(cause))
  return new PersistenceError(
    'persistence-in-use',
    `${name} is open in another session, here or in another tab: close that one, or let the tabs share it by tabPersistence of rowcast/transport`,
    { cause },
  )
}

/** Held by the session that has the persistence open, and awaited by all others. */
export function holderLock(name: string): string {
  return `rowcast-persistence-1:${name}:holder`
}

/** Held by a session for its life. */
export function lifeLock(name: string, tab: string): string {
  return `rowcast-persistence-1:${name}:tab:${tab}`
}

/** Waits for a Web Lock. Resolves with what gives it back. */
export function takeLock(name: string, signal?: AbortSignal): Promise<() => void> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, signal ? { signal } : {}, () => new Promise<void>((release) => resolve(release)))
      .catch((error: unknown) => reject(error as Error))
  })
}

/** Resolves once nobody holds a lock. */
export async function lockFree(name: string, signal: AbortSignal): Promise<void> {
  await navigator.locks.request(name, { mode: 'shared', signal }, () => undefined)
}

/** The sessions that are open now. */
export async function openTabs(name: string): Promise<ReadonlySet<string>> {
  const { held = [] } = await navigator.locks.query()
  const prefix = lifeLock(name, '')
  return new Set(held.flatMap((lock) => (lock.name?.startsWith(prefix) ? [lock.name.slice(prefix.length)] : [])))
}

import { PersistenceError } from './persistence-error.ts'

/** For how long a session that is being opened waits for another one that has the storage. */
export interface WaitOptions {
  /**
   * How long, in milliseconds, `open` waits for a session that still has it to be closed: 3,000 by default, so that a module
   * which is reloaded while it runs can open what its predecessor is about to close. Then it rejects with
   * `persistence-in-use`; with 0 at once.
   */
  readonly waitMs?: number | undefined
}

const WAIT_MS = 3000

/** What `waitMs` says, or its default. */
export function waitMsOf({ waitMs = WAIT_MS }: WaitOptions): number {
  return waitMs
}

/** Throws PersistenceError for a time to wait that is none. */
export function assertWaitOptions({ waitMs }: WaitOptions): void {
  if (waitMs === undefined || (Number.isFinite(waitMs) && waitMs >= 0)) return
  throw new PersistenceError(
    'persistence-unavailable',
    `waitMs is ${String(waitMs)}: give a number of milliseconds from 0 on`,
  )
}

/** What is told where another session has a storage: who, and what to do. */
export function inUse(name: string, isOurs: boolean, others: string, cause: unknown): PersistenceError {
  return new PersistenceError(
    'persistence-in-use',
    isOurs
      ? `${name} is open in another store right here: close that one first (await store.close()); ` +
          'where modules are reloaded while they run, keep it in import.meta.hot.data for that'
      : `${name} is open ${others}`,
    { cause },
  )
}

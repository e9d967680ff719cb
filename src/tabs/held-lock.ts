/** A Web Lock that this tab holds. */
export interface HeldLock {
  release(): void
  /** Settles once it is held no more: given back, or stolen by another tab. Never rejects. */
  readonly ended: Promise<void>
}

/** Waits for a lock and holds it until it is released. Rejects with an AbortError once `signal` aborts the wait. */
export function holdLock(name: string, options: LockOptions): Promise<HeldLock> {
  return new Promise((resolve, reject) => {
    // oxlint-disable-next-line unicorn/consistent-function-scoping -- replaced at once
    let end = (): void => undefined
    const ended = new Promise<void>((done) => (end = done))
    navigator.locks
      .request(name, options, () => new Promise<void>((release) => resolve({ release, ended })))
      // A stolen lock rejects the request; for its holder that is one way to end. Before that, `reject` is heard.
      .then(end, (error: Error) => {
        end()
        reject(error)
      })
  })
}

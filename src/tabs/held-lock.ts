/** A Web Lock that this tab holds. */
export interface HeldLock {
  /** Until this tab is told that it is held no more. */
  readonly isHeld: boolean
  release(): void
  /** Settles once it is held no more: given back, or stolen by another tab. Never rejects. */
  readonly ended: Promise<void>
}

/** Waits for a lock and holds it until it is released. Rejects with an AbortError once `signal` aborts the wait. */
export function holdLock(name: string, options: LockOptions): Promise<HeldLock> {
  return new Promise((resolve, reject) => {
    let isHeld = false
    // oxlint-disable-next-line unicorn/consistent-function-scoping -- replaced at once
    let tell = (): void => undefined
    const ended = new Promise<void>((done) => (tell = done))
    const end = (): void => {
      isHeld = false
      tell()
    }
    const hold = (release: () => void): void => {
      isHeld = true
      resolve({
        get isHeld() {
          return isHeld
        },
        release,
        ended,
      })
    }
    navigator.locks
      .request(name, options, () => new Promise<void>(hold))
      // A stolen lock rejects the request; for its holder that is one way to end. Before that, `reject` is heard.
      .then(end, (error: Error) => {
        end()
        reject(error)
      })
  })
}

/** Time, as far as the sync client needs it. */
export interface Timers {
  /** Runs something once, after so many milliseconds. Returns what takes it back. */
  after(ms: number, run: () => void): () => void
  /** From 0 up to, not including, 1. */
  random(): number
}

/** The platform's. */
export const platformTimers: Timers = {
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  random: Math.random,
}

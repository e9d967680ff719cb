import type { Progress } from '../beside/index.ts'

/** What something long is given by the call that asked for it. */
export interface Ongoing {
  /** Aborted once nobody waits for the answer any more. */
  readonly signal: AbortSignal
  readonly progress: (progress: Progress) => void
}

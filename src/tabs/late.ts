/** Browsers let timers of pages that are hidden wait for the next full second. */
const HIDDEN_MS = 1_000

/**
 * Whether a timer of `ms`, set at `since`, goes off so late that this tab slept itself: what it waits for may lie behind
 * the timer, so that it is no judge of others.
 */
export function isLate(since: number, ms: number, silenceMs: number): boolean {
  const isHidden = globalThis.document?.visibilityState === 'hidden'
  return performance.now() - since > ms + silenceMs / 4 + (isHidden ? HIDDEN_MS : 0)
}

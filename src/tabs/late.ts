/**
 * Whether a timer of `ms`, set at `since`, goes off so late that this tab slept itself: what it waits for may lie behind
 * the timer, so that it is no judge of others.
 */
export function isLate(since: number, ms: number, silenceMs: number): boolean {
  return performance.now() - since > ms + silenceMs / 4
}

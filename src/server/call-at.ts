/** What a timer can wait; a longer one would ring at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Calls a function at a time, in milliseconds since 1970, however far away; at once where it has passed. Returns what stops it. */
export function callAt(time: number, call: () => void): () => void {
  let timer: NodeJS.Timeout
  const wait = (): void => {
    const left = time - Date.now()
    timer = left > LONGEST_TIMER_MS ? setTimeout(wait, LONGEST_TIMER_MS) : setTimeout(call, Math.max(left, 0))
    timer.unref()
  }
  wait()
  return () => clearTimeout(timer)
}

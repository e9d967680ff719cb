/** How much of something long is through, in bytes. */
export interface Progress {
  readonly done: number
  /** About how much it is; absent where that is not known. */
  readonly total?: number
}

/** @param total 0 where it is not known */
export function progressOf(done: number, total: number): Progress {
  return total > 0 ? { done, total: Math.max(done, total) } : { done }
}

/**
 * Work that can be done step by step: between two of them, whoever does it may let others go first. What is begun is gone on
 * with to its end, or ended by `return`.
 */
export type Steps<Result> = Generator<undefined, Result, undefined>

/** Does all steps at once. Throws what the work throws. */
export function allAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** Work that is not divided, as the only step. */
export function* inOneStep<Result>(work: () => Result): Steps<Result> {
  yield
  return work()
}

/** Runs tasks one after the other, each to its end, whatever becomes of the others. */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve()

  run<Result>(task: () => Result | Promise<Result>): Promise<Result> {
    const result = this.#tail.then(task)
    // The caller hears of a failure; the next task only has to wait for it.
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }
}

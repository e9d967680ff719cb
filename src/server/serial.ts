/** Runs tasks one after the other, each to its end, whatever becomes of the others. */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve()
  #unfinished = 0

  /** Whether nothing runs or waits. */
  get idle(): boolean {
    return this.#unfinished === 0
  }

  run<Result>(task: () => Result | Promise<Result>): Promise<Result> {
    this.#unfinished++
    const result = this.#tail.then(task).finally(() => this.#unfinished--)
    // The caller hears of a failure; the next task only has to wait for it.
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }
}

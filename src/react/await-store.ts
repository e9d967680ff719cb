const readers = new WeakMap<object, () => unknown>()

/** Whether a value is a promise of one. */
export function isPromise<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return 'then' in (value as object)
}

/**
 * The value of a promise. While there is none it throws a promise, for Suspense; why it was rejected is thrown as it
 * is, for an error boundary. The promise must be the same one at each render: make it outside of the component.
 */
export function readPromise<Value>(promise: PromiseLike<Value>): Value {
  function settle(read: () => unknown): void {
    readers.set(promise, read)
  }
  if (!readers.has(promise)) {
    const settled = promise.then(
      (value) => settle(() => value),
      (error: unknown) =>
        settle(() => {
          throw error
        }),
    )
    settle(() => {
      // oxlint-disable-next-line typescript/only-throw-error -- how React 17 to 19 learn that a component waits
      throw settled
    })
  }
  return readers.get(promise)?.() as Value
}

type Outcome<Value> = { readonly value: Value } | { readonly error: unknown } | undefined

const outcomes = new WeakMap<object, { outcome: Outcome<unknown>; readonly settled: Promise<void> }>()

/** Whether a value is a promise of one. */
export function isPromise<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return typeof (value as { readonly then?: unknown }).then === 'function'
}

/**
 * The value of a promise. While there is none it throws a promise, for Suspense; why it was rejected is thrown as it
 * is, for an error boundary. The promise must be the same one at each render: make it outside of the component.
 */
export function readPromise<Value>(promise: PromiseLike<Value>): Value {
  let known = outcomes.get(promise)
  if (known === undefined) {
    const entry: { outcome: Outcome<unknown>; readonly settled: Promise<void> } = {
      outcome: undefined,
      settled: Promise.resolve(promise).then(
        (value) => {
          entry.outcome = { value }
        },
        (error: unknown) => {
          entry.outcome = { error }
        },
      ),
    }
    known = entry
    outcomes.set(promise, known)
  }
  // oxlint-disable-next-line typescript/only-throw-error -- how React 17 to 19 learn that a component waits
  if (known.outcome === undefined) throw known.settled
  if ('error' in known.outcome) throw known.outcome.error
  return known.outcome.value as Value
}

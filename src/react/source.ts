import type { Observable } from 'rxjs'
import { StoreClosedError } from '../errors/index.ts'

/** A value to be read now and watched: the two functions of `useSyncExternalStore`. */
export interface Source<Value> {
  /** The value now. The same object while it is the same. */
  readonly get: () => Value
  /** Tells of changes, not of the value at the time of the call. */
  readonly subscribe: (notify: () => void) => () => void
}

/** A source of one value that never changes. */
export function constantSource<Value>(value: Value): Source<Value> {
  return { get: () => value, subscribe: () => () => undefined }
}

/**
 * A source whose changes an observable tells. What it emits while subscribing is the value now, and no change. Its end
 * is none either: what a closed store has shown last stays on the screen.
 */
export function sourceOf<Value>(get: () => Value, changes: () => Observable<unknown>): Source<Value> {
  let last: { readonly value: Value } | undefined
  return {
    get: () => {
      try {
        const value = get()
        if (!last || last.value !== value) last = { value }
        return value
      } catch (error) {
        if (last && error instanceof StoreClosedError) return last.value
        throw error
      }
    },
    subscribe: (notify) => {
      let ready = false
      const subscription = changes().subscribe(() => {
        if (ready) notify()
      })
      ready = true
      return () => subscription.unsubscribe()
    },
  }
}

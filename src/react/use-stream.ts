import { useMemo } from 'react'
import type { Observable } from 'rxjs'
import type { Source } from './source.ts'
import { useSource } from './use-source.ts'

/** The latest value of a stream that emits its value now on subscription; `initial` if it doesn't. */
export function useStream<Value>(
  stream: Observable<Value>,
  initial: Value,
  same: (a: Value, b: Value) => boolean,
): Value {
  return useSource(useMemo(() => streamSource(stream, initial, same), [stream, initial, same]))
}

function streamSource<Value>(
  stream: Observable<Value>,
  initial: Value,
  same: (a: Value, b: Value) => boolean,
): Source<Value> {
  let value = initial
  let read = false
  function take(next: Value): void {
    if (!same(value, next)) value = next
  }
  return {
    get: () => {
      if (!read) stream.subscribe(take).unsubscribe()
      read = true
      return value
    },
    subscribe: (notify) => {
      read = true
      const subscription = stream.subscribe((next) => {
        take(next)
        notify()
      })
      return () => {
        read = false
        subscription.unsubscribe()
      }
    },
  }
}

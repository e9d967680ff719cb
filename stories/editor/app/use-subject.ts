import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import type { BehaviorSubject, Observable } from 'rxjs'

/** The subject's value, followed. */
export function useSubject<Value>(subject: BehaviorSubject<Value>): Value {
  const subscribe = useCallback(
    (notify: () => void) => {
      const subscription = subject.subscribe(notify)
      return () => subscription.unsubscribe()
    },
    [subject],
  )
  return useSyncExternalStore(subscribe, () => subject.value)
}

/** The latest value of a stream, `initial` before its first. */
export function useLatest<Value>(stream: Observable<Value>, initial: Value): Value {
  const [value, setValue] = useState(initial)
  useEffect(() => {
    setValue(initial)
    const subscription = stream.subscribe(setValue)
    return () => subscription.unsubscribe()
    // oxlint-disable-next-line react/exhaustive-deps -- the initial value is that of the stream's beginning
  }, [stream])
  return value
}

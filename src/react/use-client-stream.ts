import { useMemo } from 'react'
import { type Observable, tap } from 'rxjs'
import { useSyncExternalStore } from 'use-sync-external-store/shim'
import { type CellValue, equalValues } from '../changes/index.ts'
import { type Source, sourceOf } from './source.ts'

/**
 * The latest value of a stream that emits its value now on subscription, and that each side knows for itself: on the
 * server, and while hydrating, it is `before`, so that both sides agree. Equal values are one. (React 17 has no value of
 * its own for hydrating: there it is the value now.)
 */
export function useClientStream<Value>(stream: Observable<Value>, before: Value): Value {
  const { get, subscribe } = useMemo(() => lastOf(stream, before), [stream, before])
  return useSyncExternalStore(subscribe, get, () => before)
}

function lastOf<Value>(stream: Observable<Value>, before: Value): Source<Value> {
  let last = before
  const values$ = stream.pipe(
    tap((value) => {
      if (!equalValues(last as CellValue, value as CellValue)) last = value
    }),
  )
  return sourceOf(
    () => {
      // A stream that has ended emits nothing more: then it is what was seen last.
      values$.subscribe().unsubscribe()
      return last
    },
    () => values$,
  )
}

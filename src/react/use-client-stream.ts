import { useMemo } from 'react'
import type { Observable } from 'rxjs'
import { useSyncExternalStore } from 'use-sync-external-store/shim'
import { type CellValue, equalValues } from '../changes/index.ts'
import { sourceOf } from './source.ts'

/**
 * The latest value of a stream that emits its value now on subscription, and that each side knows for itself: on the
 * server, and while hydrating, it is `before`, so that both sides agree. Equal values are one. `ended` is shown where the
 * stream had ended without one. (React 17 has no value of its own for hydrating: there it is the value now.)
 */
export function useClientStream<Value>(stream: Observable<Value>, before: Value, ended: Value): Value {
  const { get, subscribe } = useMemo(() => {
    let value = ended
    const read = (): Value => {
      stream
        .subscribe((next) => {
          if (!equalValues(value as CellValue, next as CellValue)) value = next
        })
        .unsubscribe()
      return value
    }
    return sourceOf(read, () => stream)
  }, [stream, ended])
  return useSyncExternalStore(subscribe, get, () => before)
}

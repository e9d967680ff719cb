import { useMemo } from 'react'
import type { Observable } from 'rxjs'
import { type CellValue, equalValues } from '../changes/index.ts'
import type { Source } from './source.ts'
import { useSource } from './use-source.ts'

/** The latest value of a stream that emits its value now on subscription; `initial` if it doesn't. Equal ones are one. */
export function useStream<Value>(stream: Observable<Value>, initial: Value): Value {
  return useSource(useMemo(() => streamSource(stream, initial), [stream, initial]))
}

function streamSource<Value>(stream: Observable<Value>, initial: Value): Source<Value> {
  let value = initial
  let isCurrent = false
  function follow(notify?: () => void): () => void {
    isCurrent = true
    const subscription = stream.subscribe((next) => {
      if (!equalValues(value as CellValue, next as CellValue)) value = next
      notify?.()
    })
    return () => {
      isCurrent = false
      subscription.unsubscribe()
    }
  }
  return {
    get: () => {
      if (!isCurrent) {
        follow()()
        isCurrent = true
      }
      return value
    },
    subscribe: follow,
  }
}

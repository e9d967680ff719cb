import { useSyncExternalStoreWithSelector } from 'use-sync-external-store/shim/with-selector'
import { shallowEqual } from './shallow-equal.ts'
import type { Source } from './source.ts'

/**
 * What `select` makes of a source's value, or the value itself. A selection of the same members is the same selection,
 * so that a selector may return a fresh object each time. It is not called while there is no value.
 */
export function useSelection<Value, Selection>(
  source: Source<Value | undefined>,
  select: ((value: Value) => Selection) | undefined,
): Value | Selection | undefined {
  return useSyncExternalStoreWithSelector<Value | undefined, Value | Selection | undefined>(
    source.subscribe,
    source.get,
    source.get,
    select === undefined ? itself : (value) => (value === undefined ? undefined : select(value)),
    select === undefined ? Object.is : shallowEqual,
  )
}

function itself<Value>(value: Value): Value {
  return value
}

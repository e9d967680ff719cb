import { useSyncExternalStore } from 'use-sync-external-store/shim'
import type { Source } from './source.ts'

/** The value of a source; on the server, and while hydrating, it is the same synchronous read. */
export function useSource<Value>(source: Source<Value>): Value {
  return useSyncExternalStore(source.subscribe, source.get, source.get)
}

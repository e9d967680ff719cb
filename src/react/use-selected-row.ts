import { useMemo } from 'react'
import { useSyncExternalStoreWithSelector } from 'use-sync-external-store/shim/with-selector'
import type { SchemaInput } from '../schema/index.ts'
import { rowAt } from './row-at.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { shallowEqual } from './shallow-equal.ts'
import { constantSource, sourceOf } from './source.ts'
import { useStable } from './use-stable.ts'

/**
 * What `select` makes of a row, or the row itself. A selection of the same members is the same selection, so that a
 * selector may return a fresh object each time. It is not called while there is no row.
 */
export function useSelectedRow<S extends SchemaInput>(
  context: ScopeContext<S>,
  table: string,
  key: unknown,
  select?: (row: unknown) => unknown,
): unknown {
  const { store } = useScope(context)
  const at = useStable(key)
  const { get, subscribe } = useMemo(() => {
    const row = rowAt(store, table, at)
    return row ? sourceOf<unknown>(row.get, row.row$) : constantSource(undefined)
  }, [store, table, at])
  return useSyncExternalStoreWithSelector(
    subscribe,
    get,
    get,
    (row) => (row === undefined || !select ? row : select(row)),
    select ? shallowEqual : Object.is,
  )
}

import { useMemo } from 'react'
import type { KeyOf, RowOf, SchemaInput, TableName } from '../schema/index.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { constantSource, sourceOf } from './source.ts'
import { useSelection } from './use-selection.ts'
import { useStable } from './use-stable.ts'

/** A row, or what a selector makes of it; renders again when that has changed. `undefined` without a key or a row. */
export interface UseRow<S extends SchemaInput> {
  <T extends TableName<S>>(table: T, key: KeyOf<S, T> | null | undefined): RowOf<S, T> | undefined
  <T extends TableName<S>, Selection>(
    table: T,
    key: KeyOf<S, T> | null | undefined,
    select: (row: RowOf<S, T>) => Selection,
  ): Selection | undefined
}

/** Makes the `useRow` of a context. */
export function createUseRow<S extends SchemaInput>(context: ScopeContext<S>): UseRow<S> {
  return function useRow<T extends TableName<S>, Selection>(
    table: T,
    key: KeyOf<S, T> | null | undefined,
    select?: (row: RowOf<S, T>) => Selection,
  ): RowOf<S, T> | Selection | undefined {
    const { store } = useScope(context)
    const stableKey = useStable(key)
    const source = useMemo(() => {
      if (stableKey === null || stableKey === undefined) return constantSource<RowOf<S, T> | undefined>(undefined)
      const rows = store.table(table)
      return sourceOf(
        () => rows.get(stableKey),
        () => rows.row$(stableKey),
      )
    }, [store, table, stableKey])
    return useSelection(source, select)
  }
}

import { useMemo } from 'react'
import type { RowOf, SchemaInput, TableName } from '../schema/index.ts'
import type { FindOptions } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { useLive } from './use-live.ts'
import { useStable } from './use-stable.ts'

/**
 * The rows found, kept up to date: unchanged rows are the same objects, an unchanged result is the same array. Options
 * are compared by what they say, so they may be written inline.
 */
export type UseRows<S extends SchemaInput> = <T extends TableName<S>>(
  table: T,
  options?: FindOptions<S, T>,
) => readonly RowOf<S, T>[]

/** Makes the `useRows` of a context. */
export function createUseRows<S extends SchemaInput>(context: ScopeContext<S>): UseRows<S> {
  return function useRows<T extends TableName<S>>(table: T, options?: FindOptions<S, T>): readonly RowOf<S, T>[] {
    const { store } = useScope(context)
    const stable = useStable(options)
    return useLive(useMemo(() => store.table(table).live(stable), [store, table, stable]))
  }
}

import type { KeyOf, RowOf, SchemaInput, TableName } from '../schema/index.ts'
import type { ScopeContext } from './scope.ts'
import { useSelectedRow } from './use-selected-row.ts'

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
  function useRow(table: string, key: unknown, select?: (row: unknown) => unknown): unknown {
    return useSelectedRow(context, table, key, select)
  }
  return useRow as UseRow<S>
}

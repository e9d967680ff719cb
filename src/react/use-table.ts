import { useMemo } from 'react'
import type { SchemaInput, TableName } from '../schema/index.ts'
import type { Table } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'

/** A table of the nearest draft, else of the store: for event handlers. It does not make the component render again. */
export type UseTable<S extends SchemaInput> = <T extends TableName<S>>(name: T) => Table<S, T>

/** Makes the `useTable` of a context. */
export function createUseTable<S extends SchemaInput>(context: ScopeContext<S>): UseTable<S> {
  return function useTable<T extends TableName<S>>(name: T): Table<S, T> {
    const { workspace } = useScope(context)
    return useMemo(() => workspace.table(name), [workspace, name])
  }
}

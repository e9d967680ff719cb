import type { RowOf, SchemaInput, SingletonName } from '../schema/index.ts'
import { SINGLETON } from './row-at.ts'
import type { ScopeContext } from './scope.ts'
import { useSelectedRow } from './use-selected-row.ts'

/** A singleton's value, or what a selector makes of it; renders again when that has changed. */
export interface UseValue<S extends SchemaInput> {
  <T extends SingletonName<S>>(name: T): RowOf<S, T> | undefined
  <T extends SingletonName<S>, Selection>(name: T, select: (value: RowOf<S, T>) => Selection): Selection | undefined
}

/** Makes the `useValue` of a context. */
export function createUseValue<S extends SchemaInput>(context: ScopeContext<S>): UseValue<S> {
  function useValue(name: string, select?: (value: unknown) => unknown): unknown {
    return useSelectedRow(context, name, SINGLETON, select)
  }
  return useValue as UseValue<S>
}

import { useMemo } from 'react'
import type { RowOf, SchemaInput, SingletonName } from '../schema/index.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { sourceOf } from './source.ts'
import { useSelection } from './use-selection.ts'

/** A singleton's value, or what a selector makes of it; renders again when that has changed. */
export interface UseValue<S extends SchemaInput> {
  <T extends SingletonName<S>>(name: T): RowOf<S, T> | undefined
  <T extends SingletonName<S>, Selection>(name: T, select: (value: RowOf<S, T>) => Selection): Selection | undefined
}

/** Makes the `useValue` of a context. */
export function createUseValue<S extends SchemaInput>(context: ScopeContext<S>): UseValue<S> {
  return function useValue<T extends SingletonName<S>, Selection>(
    name: T,
    select?: (value: RowOf<S, T>) => Selection,
  ): RowOf<S, T> | Selection | undefined {
    const { store } = useScope(context)
    const source = useMemo(() => {
      const singleton = store.value(name)
      return sourceOf(
        () => singleton.get(),
        () => singleton.value$,
      )
    }, [store, name])
    return useSelection(source, select)
  }
}

import { useEffect, useRef } from 'react'
import type { Observable } from 'rxjs'
import type { ChangeSet } from '../changes/index.ts'
import type { SchemaInput, TableName } from '../schema/index.ts'
import type { TableChange } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'

type Listener = ((set: ChangeSet) => void) | ((change: TableChange) => void)

/** Calls a listener, the latest one given, with each change while the component is mounted. It causes no render. */
export interface UseChanges<S extends SchemaInput> {
  (listener: (set: ChangeSet) => void): void
  (table: TableName<S>, listener: (change: TableChange) => void): void
}

/** Makes the `useChanges` of a context. */
export function createUseChanges<S extends SchemaInput>(context: ScopeContext<S>): UseChanges<S> {
  function useChanges(first: Listener | TableName<S>, second?: Listener): void {
    const { store } = useScope(context)
    const [table, listener] = typeof first === 'function' ? ([undefined, first] as const) : ([first, second] as const)
    const latest = useRef(listener)
    useEffect(() => {
      latest.current = listener
    }, [listener])
    useEffect(() => {
      const changes$: Observable<ChangeSet | TableChange> =
        table === undefined ? store.changes$ : store.table(table as TableName<S>).changes$
      const subscription = changes$.subscribe((change) =>
        (latest.current as (change: ChangeSet | TableChange) => void)(change),
      )
      return () => subscription.unsubscribe()
    }, [store, table])
  }
  return useChanges
}

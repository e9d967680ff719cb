import { useMemo } from 'react'
import type { SchemaInput } from '../schema/index.ts'
import type { SqlQuery, SqlRow } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { useLive } from './use-live.ts'
import { useStable } from './use-stable.ts'

/** The rows of a SELECT, kept up to date. Queries are compared by text and parameters, so they may be written inline. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- SQL has no types: the caller names the rows'
export type UseQuery = <Row = SqlRow>(query: SqlQuery) => readonly Row[]

/** Makes the `useQuery` of a context. */
export function createUseQuery<S extends SchemaInput>(context: ScopeContext<S>): UseQuery {
  function useQuery({ sql, parameters, params }: SqlQuery): readonly SqlRow[] {
    const { store } = useScope(context)
    const stable = useStable(parameters ?? params)
    return useLive(useMemo(() => store.live({ sql, parameters: stable }), [store, sql, stable]))
  }
  return useQuery as UseQuery
}

import { createElement, type ReactElement, type ReactNode, useMemo } from 'react'
import type { SchemaInput } from '../schema/index.ts'
import type { Draft } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'

/** What `<DraftProvider>` takes. */
export interface DraftProviderProps<S extends SchemaInput> {
  /** A draft of the store of the StoreProvider above. */
  readonly draft: Draft<S>
  readonly children?: ReactNode
}

/** Lets the hooks below write through a draft. */
export type DraftProvider<S extends SchemaInput> = (props: DraftProviderProps<S>) => ReactElement

/** Makes the `DraftProvider` of a context. */
export function createDraftProvider<S extends SchemaInput>(context: ScopeContext<S>): DraftProvider<S> {
  return function DraftProvider({ draft, children }: DraftProviderProps<S>): ReactElement {
    const { store } = useScope(context)
    const scope = useMemo(() => ({ store, workspace: draft }), [store, draft])
    return createElement(context.Provider, { value: scope }, children)
  }
}

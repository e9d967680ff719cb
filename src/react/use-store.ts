import type { SchemaInput } from '../schema/index.ts'
import type { Store } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'

/** The store of the nearest StoreProvider, also inside of a DraftProvider. */
export type UseStore<S extends SchemaInput> = () => Store<S>

/** Makes the `useStore` of a context. */
export function createUseStore<S extends SchemaInput>(context: ScopeContext<S>): UseStore<S> {
  return function useStore() {
    return useScope(context).store
  }
}

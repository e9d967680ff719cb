import { type Context, useContext } from 'react'
import { NotFoundError } from '../errors/index.ts'
import type { SchemaInput } from '../schema/index.ts'
import type { Store, Workspace } from '../store/index.ts'

/** What the nearest providers give to the hooks below them. */
export interface Scope<S extends SchemaInput> {
  /** Reads go here. A draft's values are seen by everyone at once, so it is the same data, also once a draft has ended. */
  readonly store: Store<S>
  /** Writes go here: the draft of the nearest DraftProvider, else the store. */
  readonly workspace: Workspace<S>
}

/** The React context that carries a scope. */
export type ScopeContext<S extends SchemaInput> = Context<Scope<S> | undefined>

/** The scope of this place. Throws NotFoundError outside of a `<StoreProvider>`. */
export function useScope<S extends SchemaInput>(context: ScopeContext<S>): Scope<S> {
  const scope = useContext(context)
  if (scope === undefined) {
    throw new NotFoundError('there is no <StoreProvider> of this context above')
  }
  return scope
}

import { createElement, type ReactElement, type ReactNode, Suspense, useMemo } from 'react'
import type { SchemaInput } from '../schema/index.ts'
import type { Store } from '../store/index.ts'
import { isPromise, readPromise } from './await-store.ts'
import type { ErrorMessages } from './form/field-error.ts'
import { ErrorMessagesContext, useErrorMessages } from './form/use-error-messages.ts'
import type { ScopeContext } from './scope.ts'

/** What `<StoreProvider>` takes. */
export interface StoreProviderProps<S extends SchemaInput> {
  /** A store, or the promise of one, made outside of the component. On the server give an open store. */
  readonly store: Store<S> | PromiseLike<Store<S>>
  /** Shown while the store opens. Without it the Suspense boundary above shows its own. */
  readonly fallback?: ReactNode
  /** The texts of errors in bound fields, for all below; without it those of the StoreProvider above. */
  readonly errorMessages?: ErrorMessages | undefined
  readonly children?: ReactNode
}

/** Gives a store to the hooks below. What a promise is rejected with goes to the error boundary. */
export type StoreProvider<S extends SchemaInput> = (props: StoreProviderProps<S>) => ReactElement

/** Makes the `StoreProvider` of a context. */
export function createStoreProvider<S extends SchemaInput>(context: ScopeContext<S>): StoreProvider<S> {
  function OpenStore({ store, children }: StoreProviderProps<S>): ReactElement {
    const open = isPromise(store) ? readPromise(store) : store
    const scope = useMemo(() => ({ store: open, workspace: open }), [open])
    return createElement(context.Provider, { value: scope }, children)
  }

  return function StoreProvider(props: StoreProviderProps<S>): ReactElement {
    const { fallback } = props
    const inherited = useErrorMessages()
    const open = createElement(
      ErrorMessagesContext.Provider,
      { value: props.errorMessages ?? inherited },
      createElement(OpenStore, props),
    )
    return fallback === undefined ? open : createElement(Suspense, { fallback }, open)
  }
}

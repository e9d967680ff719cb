import { useEffect, useMemo, useState } from 'react'
import { endWith } from 'rxjs'
import type { SchemaInput } from '../schema/index.ts'
import type { Commit, Conflict, Draft, Store } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { sourceOf } from './source.ts'
import { useSource } from './use-source.ts'
import { useStream } from './use-stream.ts'

/** A component's draft. */
export interface DraftHandle<S extends SchemaInput> {
  /** To be given to a DraftProvider, or written to. Another one after a commit or cancel. */
  readonly draft: Draft<S>
  readonly isDirty: boolean
  /** Commits; throws ValidationError or ConstraintError, with the draft still open. Then a fresh draft is opened. */
  readonly commit: () => Commit
  /** Cancels. Then a fresh draft is opened. */
  readonly cancel: () => void
  /** Cells that someone else changed underneath. */
  readonly conflicts: readonly Conflict[]
}

/**
 * A draft of the store for as long as the component is mounted: cancelled when it is unmounted (in a microtask, so that
 * effects which StrictMode runs twice keep theirs) unless committed before. The label is that of the time it is opened.
 */
export type UseDraft<S extends SchemaInput> = (options?: { readonly label?: string | undefined }) => DraftHandle<S>

interface Held<S extends SchemaInput> {
  readonly store: Store<S>
  readonly draft: Draft<S>
}

interface Claimable {
  readonly state: string
  cancel(): void
}

/** By store, the open drafts that no mounted component holds: React may throw a render away, and no effect tells. */
const unclaimed = new WeakMap<object, Set<Claimable>>()
const NO_CONFLICTS: readonly Conflict[] = []

/** Makes the `useDraft` of a context. */
export function createUseDraft<S extends SchemaInput>(context: ScopeContext<S>): UseDraft<S> {
  return function useDraft(options?: { readonly label?: string | undefined }): DraftHandle<S> {
    const { store } = useScope(context)
    const label = options?.label
    const open = (): Held<S> => ({ store, draft: leave(store, store.draft({ label })) })
    const [held, hold] = useState(open)
    let current = held
    if (held.store !== store || (held.draft.state !== 'open' && !store.closed)) {
      current = open()
      hold(current)
    }
    const { draft } = current
    useEffect(() => {
      // Hidden and shown again: what it had was cancelled with its effects.
      if (draft.state !== 'open' && !store.closed) hold(open())
      unclaimed.get(store)?.delete(draft)
      sweep(store)
      return () => {
        leave(store, draft)
        sweep(store)
      }
      // oxlint-disable-next-line react/exhaustive-deps -- a new label is for the next draft
    }, [store, draft])
    const [dirty, conflicts$, actions] = useMemo(
      () =>
        [
          sourceOf(
            // That it has ended is another thing than that it is not dirty: another one is to be opened then.
            () => (draft.state === 'open' ? draft.isDirty : undefined),
            // A draft that nobody has written to ends without another value.
            () => draft.isDirty$.pipe(endWith(false)),
          ),
          draft.conflicts$,
          { commit: () => draft.commit(), cancel: () => draft.cancel() },
        ] as const,
      [draft],
    )
    const isDirty = useSource(dirty) === true
    const conflicts = useStream(conflicts$, NO_CONFLICTS)
    return { draft, isDirty, conflicts, ...actions }
  }
}

function leave<D extends Claimable>(store: object, draft: D): D {
  let drafts = unclaimed.get(store)
  if (!drafts) unclaimed.set(store, (drafts = new Set()))
  drafts.add(draft)
  return draft
}

/**
 * Cancels what is unclaimed in a microtask: by then the effects of everything that was mounted together have run. A
 * component that turns out to be mounted later after all opens another draft in its effect.
 */
function sweep(store: { readonly closed: boolean }): void {
  queueMicrotask(() => {
    const drafts = unclaimed.get(store)
    unclaimed.delete(store)
    for (const draft of drafts ?? []) if (draft.state === 'open' && !store.closed) draft.cancel()
  })
}

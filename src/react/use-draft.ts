import { useEffect, useMemo, useState } from 'react'
import { endWith } from 'rxjs'
import type { SchemaInput } from '../schema/index.ts'
import type { Commit, Conflict, Draft, Store } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { shallowEqual } from './shallow-equal.ts'
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

/** Drafts whose component is mounted. */
const mounted = new WeakSet<object>()
/** Drafts opened while rendering, by store: React may throw the render away, and no effect tells. */
const unclaimed = new WeakMap<object, Set<{ cancel(): void }>>()
const NO_CONFLICTS: readonly Conflict[] = []

/** Makes the `useDraft` of a context. */
export function createUseDraft<S extends SchemaInput>(context: ScopeContext<S>): UseDraft<S> {
  return function useDraft(options?: { readonly label?: string | undefined }): DraftHandle<S> {
    const { store } = useScope(context)
    const label = options?.label
    const [held, hold] = useState(() => ({ store, draft: openDraft(store, label) }))
    let current = held
    if (held.store !== store || (held.draft.state !== 'open' && !store.closed)) {
      current = { store, draft: openDraft(store, label) }
      hold(current)
    }
    const { draft } = current
    useEffect(() => {
      // Hidden and shown again: what it had was cancelled with its effects.
      if (draft.state !== 'open' && !store.closed) hold({ store, draft: openDraft(store, label) })
      mounted.add(draft)
      unclaimed.get(store)?.delete(draft)
      // By then the effects of everything that was mounted together have run.
      queueMicrotask(() => cancelUnclaimed(store))
      return () => {
        mounted.delete(draft)
        queueMicrotask(() => cancelUnmounted(store, draft))
      }
      // oxlint-disable-next-line react/exhaustive-deps -- a new label is for the next draft
    }, [store, draft])
    const [dirty, conflicts$] = useMemo(
      () =>
        [
          sourceOf(
            () => (draft.state === 'open' ? draft.isDirty : undefined),
            // A draft that nobody has written to ends without another value.
            () => draft.isDirty$.pipe(endWith(false)),
          ),
          draft.conflicts$,
        ] as const,
      [draft],
    )
    const isDirty = useSource(dirty) === true
    const conflicts = useStream(conflicts$, NO_CONFLICTS, shallowEqual)
    const actions = useMemo(
      () => ({
        commit: () => draft.commit(),
        cancel: () => draft.cancel(),
      }),
      [draft],
    )
    return { draft, isDirty, conflicts, ...actions }
  }
}

function openDraft<S extends SchemaInput>(store: Store<S>, label: string | undefined): Draft<S> {
  const draft = store.draft({ label })
  const drafts = unclaimed.get(store)
  if (drafts === undefined) unclaimed.set(store, new Set([draft]))
  else drafts.add(draft)
  return draft
}

/** A component that turns out to be mounted later after all opens another in its effect. */
function cancelUnclaimed<S extends SchemaInput>(store: Store<S>): void {
  const drafts = unclaimed.get(store)
  unclaimed.delete(store)
  if (!store.closed) for (const draft of drafts ?? []) draft.cancel()
}

function cancelUnmounted<S extends SchemaInput>(store: Store<S>, draft: Draft<S>): void {
  if (!mounted.has(draft) && draft.state === 'open' && !store.closed) draft.cancel()
}

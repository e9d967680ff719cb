import { useMemo } from 'react'
import type { SchemaInput } from '../schema/index.ts'
import type { HistoryStep, SkippedStep } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { useStream } from './use-stream.ts'

/** The steps done, oldest first, and the steps undone, the next to redo first. */
export interface HistorySteps {
  readonly done: readonly HistoryStep[]
  readonly undone: readonly HistoryStep[]
}

/** What can be undone and redone. */
export interface HistoryHandle {
  /** Undoes the last step and returns it, if there was one; one that can't be undone is set aside (`skipped`). */
  readonly undo: () => HistoryStep | undefined
  /** Does again what was undone last, in the same way. */
  readonly redo: () => HistoryStep | undefined
  readonly canUndo: boolean
  readonly canRedo: boolean
  readonly steps: HistorySteps
  /** The steps that could not be undone, or done again, with the reason of each; newest last. */
  readonly skipped: readonly SkippedStep[]
}

/** The store's history; renders again with each step. */
export type UseHistory = () => HistoryHandle

const NO_STEPS: HistorySteps = { done: [], undone: [] }
const NONE_SKIPPED: readonly SkippedStep[] = []

/** Makes the `useHistory` of a context. */
export function createUseHistory<S extends SchemaInput>(context: ScopeContext<S>): UseHistory {
  return function useHistory(): HistoryHandle {
    const { history } = useScope(context).store
    const { steps$, skipped$, ...actions } = useMemo(
      () => ({
        steps$: history.steps$,
        skipped$: history.skipped$,
        undo: () => history.undo(),
        redo: () => history.redo(),
      }),
      [history],
    )
    const steps = useStream(steps$, NO_STEPS)
    const skipped = useStream(skipped$, NONE_SKIPPED)
    return { ...actions, steps, skipped, canUndo: steps.done.length > 0, canRedo: steps.undone.length > 0 }
  }
}

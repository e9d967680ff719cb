import { useMemo } from 'react'
import type { SchemaInput } from '../schema/index.ts'
import type { HistoryStep } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { useStream } from './use-stream.ts'

/** The steps done, oldest first, and the steps undone, the next to redo first. */
export interface HistorySteps {
  readonly done: readonly HistoryStep[]
  readonly undone: readonly HistoryStep[]
}

/** What can be undone and redone. */
export interface HistoryHandle {
  /** Undoes the last step and returns it, if there was one. */
  readonly undo: () => HistoryStep | undefined
  readonly redo: () => HistoryStep | undefined
  readonly canUndo: boolean
  readonly canRedo: boolean
  readonly steps: HistorySteps
}

/** The store's history; renders again with each step. */
export type UseHistory = () => HistoryHandle

const NO_STEPS: HistorySteps = { done: [], undone: [] }

/** Makes the `useHistory` of a context. */
export function createUseHistory<S extends SchemaInput>(context: ScopeContext<S>): UseHistory {
  return function useHistory(): HistoryHandle {
    const { history } = useScope(context).store
    const [steps$, actions] = useMemo(
      () => [history.steps$, { undo: () => history.undo(), redo: () => history.redo() }] as const,
      [history],
    )
    const steps = useStream(steps$, NO_STEPS)
    return { ...actions, steps, canUndo: steps.done.length > 0, canRedo: steps.undone.length > 0 }
  }
}

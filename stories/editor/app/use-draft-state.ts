import { useMemo } from 'react'
import type { Conflict } from 'rowcast'
import { type Observable, of, startWith, switchMap } from 'rxjs'
import type { Editor } from './editor.ts'
import { useLatest } from './use-subject.ts'

interface DraftState {
  readonly isDirty: boolean
  /** Cells that someone else changed underneath. */
  readonly conflicts: readonly Conflict[]
}

/** What the draft bar shows of the one draft. */
export function useDraftState(editor: Editor): DraftState {
  const [dirty$, conflicts$] = useMemo((): [Observable<boolean>, Observable<readonly Conflict[]>] => {
    const { draft$ } = editor
    return [
      draft$.pipe(switchMap((one) => (one?.state === 'open' ? one.isDirty$ : of(false)))),
      draft$.pipe(
        switchMap((one) => (one?.state === 'open' ? one.conflicts$ : of([]))),
        startWith([]),
      ),
    ]
  }, [editor])
  return {
    isDirty: useLatest(dirty$, false),
    conflicts: useLatest<readonly Conflict[]>(conflicts$, []),
  }
}

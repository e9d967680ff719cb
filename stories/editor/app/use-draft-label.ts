import { useMemo } from 'react'
import { distinctUntilChanged, filter, map, merge, type Observable, of, startWith, switchMap, throttleTime } from 'rxjs'
import type { EditorDraft } from './editor-store.ts'
import type { Editor } from './editor.ts'
import { useLatest } from './use-subject.ts'

/** How often it follows, in milliseconds. */
const labelEveryMs = 100

/** What the open draft comes to so far: what its step will be called. */
export function useDraftLabel(editor: Editor): string {
  const label$ = useMemo(
    () => editor.draft$.pipe(switchMap((draft) => (draft?.state === 'open' ? labelOf(editor, draft) : of('')))),
    [editor],
  )
  return useLatest(label$, '')
}

/** While something is dragged it stays as it is: of thousands of rows it would be worked out again at every step. */
function labelOf(editor: Editor, draft: EditorDraft): Observable<string> {
  const { store, dragging$ } = editor
  const { label = '' } = draft
  return merge(store.changes$.pipe(filter(({ draftId }) => draftId === draft.id)), dragging$).pipe(
    throttleTime(labelEveryMs, undefined, { leading: true, trailing: true }),
    filter(() => !dragging$.value && draft.state === 'open'),
    map(() => draft.changes().changes),
    map((changes) => (changes.length === 0 ? label : editor.labelOf(changes))),
    startWith(label),
    distinctUntilChanged(),
  )
}

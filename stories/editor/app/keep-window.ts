import { distinctUntilChanged, filter, of, switchMap } from 'rxjs'
import type { Editor } from './editor.ts'
import type { Keeping } from './keeping.ts'
import { keptChanges, replayChanges } from './replay-changes.ts'
import { selectionOf } from './selection.ts'
import { WindowState } from './window-state.ts'

/**
 * Puts back what the window showed before it was loaded anew: view, selection, the table's layer and the open draft. From
 * then on it keeps them, and asks before the page is left where that would lose something. It lasts as long as the page.
 */
export function keepWindow(editor: Editor, keeping: Keeping): void {
  const state = new WindowState(keeping)
  restore(editor, state)
  const { reason } = keeping
  if (reason !== undefined)
    editor.notify({ kind: 'error', message: `The project is not kept on this device: ${reason}` })
  const isSaved = watchSaved(editor, keeping.persistence !== undefined)

  const isDirty$ = editor.draft$.pipe(
    switchMap((draft) => (draft?.state === 'open' ? draft.isDirty$ : of(false))),
    distinctUntilChanged(),
  )
  // What was committed or cancelled is not to come back, however the page ends.
  isDirty$.pipe(filter((isDirty) => !isDirty)).subscribe(() => state.keepDraft(undefined))

  const keep = (): boolean => {
    const { selection$, layerFilter$, draft$ } = editor
    state.keepShown({
      view: editor.scene?.view ?? editor.startView,
      selection: selection$.value,
      layerFilter: layerFilter$.value,
    })
    const draft = draft$.value
    const isOpen = draft?.state === 'open' && draft.isDirty
    return state.keepDraft(isOpen ? { label: draft.label ?? '', changes: keptChanges(draft) } : undefined)
  }
  window.addEventListener('pagehide', keep)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') keep()
  })
  window.addEventListener('beforeunload', (event) => {
    const isTypedWrong = document.querySelector('.inspector [aria-invalid=true]') !== null
    if (!keep() || !isSaved() || isTypedWrong) event.preventDefault()
  })
}

function restore(editor: Editor, state: WindowState): void {
  const { shown, draft: kept } = state
  if (shown) {
    editor.startView = shown.view
    editor.layerFilter$.next(shown.layerFilter)
  }
  const draft = kept && editor.openDraft(kept.label)
  if (draft) {
    const left = replayChanges(draft, kept.changes)
    if (left > 0) {
      const rows = left === 1 ? 'row' : 'rows'
      editor.notify({ kind: 'error', message: `The open edit of ${left} ${rows} no longer fits the project` })
    }
  }
  if (!shown) return
  const { ids, primary } = shown.selection
  const annotations = editor.store.table('annotation')
  const there = ids.filter((id) => annotations.has(id))
  if (there.length > 0) editor.select(selectionOf(there, there.includes(primary ?? '') ? primary : undefined))
}

/** Tells whether all that was committed here would be there again: kept on this device, or else on the server. */
function watchSaved(editor: Editor, isKept: boolean): () => boolean {
  const { store, collaboration } = editor
  let committed = 0
  let saved = 0
  store.commits$.subscribe(() => {
    const count = ++committed
    if (!isKept) return
    // Once the store has noted it.
    void Promise.resolve()
      .then(() => store.saved())
      .then(() => (saved = Math.max(saved, count)))
      .catch((error: unknown) => editor.fail(error))
  })
  return () => (!isKept && collaboration ? collaboration.status$.value.pending === 0 : saved === committed)
}

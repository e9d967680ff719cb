import { closePopover } from '../collaboration/popover-focus.ts'
import type { Editor } from './editor.ts'
import { nothing } from './selection.ts'
import { isTextField, Typing } from './typing.ts'

/** A text that is no part of an edit, as a search: Escape and undo in it are its own. */
function isOwnText(target: EventTarget | null): target is HTMLInputElement {
  return target instanceof HTMLInputElement && isTextField(target) && target.closest('.inspector') === null
}

/** Where Enter means something of its own. */
function keepsEnter(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('textarea, button, summary, a, [type=search], [data-keeps-enter], [data-keeps-keys]') !== null
  )
}

/** Goes to the name of what is selected: in the panel that shows it, or else in one that is made to. */
function focusName(): void {
  const name = (): HTMLInputElement | null =>
    document.querySelector('[data-testid=field-2-name], [data-testid=field-1-name]')
  if (!name()) document.querySelector<HTMLElement>('[data-testid=tab-2-general]')?.click()
  requestAnimationFrame(() => name()?.select())
}

/** The editor's keys. Returns what stops listening. */
export function listenToShortcuts(editor: Editor): () => void {
  const { history } = editor.store
  const isDirty = (): boolean => editor.draft$.value?.isDirty ?? false
  const typing = new Typing()

  const onKeyDown = (event: KeyboardEvent): void => {
    // The dialog has its own keys.
    if (editor.question$.value) return
    // Something within has given up what it had: a field its text, the scene a drag.
    if (event.defaultPrevented) return
    const inText = isTextField(event.target) || event.target instanceof HTMLSelectElement
    const control = event.ctrlKey || event.metaKey
    const key = event.key.toLowerCase()
    // In a tree letters go to what begins with them.
    const hasLetters = event.target instanceof Element && event.target.closest('[role=tree]') !== null
    if (key === 'escape') {
      if (closePopover()) return
      // A browser empties a search by itself.
      if (isOwnText(event.target)) {
        if (event.target.type !== 'search' || event.target.value === '') event.target.blur()
      } else if (editor.tool$.value === 'add') editor.tool$.next('select')
      else if (isDirty()) editor.cancel()
      else if (inText && event.target instanceof HTMLElement) {
        event.target.blur()
        editor.cancel()
      } else editor.select(nothing)
      return
    }
    if (key === 'f2') {
      event.preventDefault()
      editor.layout.setOpen('properties', true)
      requestAnimationFrame(focusName)
      return
    }
    const isRedo = key === 'y' || event.shiftKey
    if (control && (key === 'z' || key === 'y')) {
      // What was typed is the browser's to undo, before any step is.
      if (isRedo ? typing.canRedo(event.target) : typing.canUndo(event.target)) return
      event.preventDefault()
      if (editor.readOnly || isOwnText(event.target)) return
      if (isDirty()) editor.notify({ kind: 'info', message: 'OK or cancel the edit first' })
      else editor.attempt(() => (isRedo ? history.redo() : history.undo()))
    } else if (editor.readOnly) return
    else if (key === 'enter') {
      if (editor.tool$.value === 'add' && editor.scene && !keepsEnter(event.target)) {
        editor.add(editor.scene.view.center)
      } else if (!keepsEnter(event.target)) editor.commit()
    } else if (!inText && (key === 'delete' || key === 'backspace')) editor.deleteSelected()
    else if (!inText && !control && !hasLetters && key === 'v') editor.tool$.next('select')
    else if (!inText && !control && !hasLetters && key === 'a') editor.tool$.next('add')
  }
  window.addEventListener('keydown', onKeyDown)
  const stopTyping = typing.listen()
  // Once an edit is OK or cancelled, what was typed in it is undone as a step, or not at all.
  const settling = editor.draft$.subscribe(() => typing.settle())
  return () => {
    window.removeEventListener('keydown', onKeyDown)
    stopTyping()
    settling.unsubscribe()
  }
}

/** An element with a text that a browser undoes by itself. */
export type TextField = HTMLInputElement | HTMLTextAreaElement

const textTypes = new Set(['text', 'search', 'number', 'email', 'url', 'password'])

export function isTextField(target: EventTarget | null): target is TextField {
  if (target instanceof HTMLInputElement) return textTypes.has(target.type)
  return target instanceof HTMLTextAreaElement
}

/**
 * What has been typed in the text field that has the focus. A browser's undo is not a field's but the page's: with nothing
 * typed in this one it would take back what was typed in another, so who asks it to undo must know.
 */
export class Typing {
  #field: TextField | undefined
  /** The text from before. */
  #before = ''
  /** The text that was typed last: where another stands in its place, the browser has nothing of it to undo. */
  #last: string | undefined
  #undone = 0

  /** Begins anew, with the text as it is: what was typed before is settled. */
  settle(): void {
    this.#enter(document.activeElement)
  }

  canUndo(target: EventTarget | null): boolean {
    return this.#isTyped(target) && this.#last !== this.#before
  }

  canRedo(target: EventTarget | null): boolean {
    return this.#isTyped(target) && this.#undone > 0
  }

  /** Returns what stops listening. */
  listen(): () => void {
    const onFocus = ({ target }: Event): void => this.#enter(target)
    const onInput = (event: Event): void => {
      if (!isTextField(event.target)) return
      if (event.target !== this.#field) this.#enter(event.target)
      // A number that is stepped up or down is not typed.
      const way = event instanceof InputEvent ? event.inputType : ''
      this.#last = way === '' ? undefined : event.target.value
      if (way === 'historyUndo') this.#undone++
      else this.#undone = way === 'historyRedo' ? this.#undone - 1 : 0
    }
    window.addEventListener('focusin', onFocus)
    // Before the field itself, which may write to the store, and that may ask.
    window.addEventListener('input', onInput, { capture: true })
    return () => {
      window.removeEventListener('focusin', onFocus)
      window.removeEventListener('input', onInput, { capture: true })
    }
  }

  #isTyped(target: EventTarget | null): boolean {
    return this.#field !== undefined && target === this.#field && this.#field.value === this.#last
  }

  #enter(target: EventTarget | null): void {
    this.#field = isTextField(target) ? target : undefined
    this.#before = this.#field?.value ?? ''
    this.#last = undefined
    this.#undone = 0
  }
}

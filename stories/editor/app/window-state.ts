import type { ViewState } from '../scene/index.ts'
import type { Keeping } from './keeping.ts'
import type { KeptChange } from './replay-changes.ts'
import type { Selection } from './selection.ts'

/** What a window shows of a project, and is no part of it. */
export interface Shown {
  readonly view: ViewState | undefined
  readonly selection: Selection
  readonly layerFilter: string | undefined
}

export interface KeptDraft {
  readonly label: string
  readonly changes: readonly KeptChange[]
}

/** What is selected beyond so many is not kept: storage holds 5 MB in all. */
const selectionLimit = 5_000

/** Keeps what a window shows, and its open draft, in the browser's storage. */
export class WindowState {
  readonly #storage: Storage
  readonly #shown: string
  readonly #draft: string

  constructor({ storage, name }: Pick<Keeping, 'storage' | 'name'>) {
    this.#storage = storage
    this.#shown = `rowcast-editor-shown:${name}`
    this.#draft = `rowcast-editor-draft:${name}`
  }

  get shown(): Shown | undefined {
    const text = this.#storage.getItem(this.#shown)
    return text === null ? undefined : (JSON.parse(text) as Shown)
  }

  /** The draft that was open. */
  get draft(): KeptDraft | undefined {
    const text = this.#storage.getItem(this.#draft)
    return text === null ? undefined : (JSON.parse(text) as KeptDraft)
  }

  keepShown(shown: Shown): void {
    const { ids } = shown.selection
    const kept = ids.length > selectionLimit ? { ...shown, selection: { ids: [], primary: undefined } } : shown
    this.#write(this.#shown, JSON.stringify(kept))
  }

  /** Keeps a draft, or that there is none. Returns whether there was room for it. */
  keepDraft(draft: KeptDraft | undefined): boolean {
    if (draft) return this.#write(this.#draft, JSON.stringify(draft))
    this.#storage.removeItem(this.#draft)
    return true
  }

  #write(key: string, text: string): boolean {
    try {
      this.#storage.setItem(key, text)
      return true
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) throw error
      // What was kept before is no longer so.
      this.#storage.removeItem(key)
      return false
    }
  }
}

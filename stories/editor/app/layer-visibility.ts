import { BehaviorSubject } from 'rxjs'
import type { Layer } from './editor-store.ts'

type Choices = Readonly<Record<string, boolean>>

/**
 * Which layers this person sees. What is hidden to see better is no edit of the project: nobody else's map changes, no
 * step of the history is made, and a read-only project can be looked at so too. It is kept in this browser, for each
 * project. Where nothing was chosen, the layer's own `visible` counts: what the project's author shows at first.
 */
export class LayerVisibility {
  readonly choices$: BehaviorSubject<Choices>
  readonly #storageKey: string

  constructor(project: string) {
    this.#storageKey = `rowcast-editor-layers ${project}`
    this.choices$ = new BehaviorSubject(choicesIn(localStorage.getItem(this.#storageKey)))
  }

  isVisible({ id, visible }: Layer): boolean {
    return this.choices$.value[id] ?? visible
  }

  toggle(layer: Layer): void {
    const choices = { ...this.choices$.value, [layer.id]: !this.isVisible(layer) }
    localStorage.setItem(this.#storageKey, JSON.stringify(choices))
    this.choices$.next(choices)
  }
}

/** What stands in the storage may be another version's: of that, only what can be understood is taken. */
function choicesIn(text: string | null): Choices {
  try {
    const kept: unknown = JSON.parse(text ?? '{}')
    const entries = typeof kept === 'object' && kept !== null ? Object.entries(kept) : []
    return Object.fromEntries(entries.filter((entry): entry is [string, boolean] => typeof entry[1] === 'boolean'))
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

import type { SceneDrag } from '../scene/index.ts'
import type { EditorDraft } from './editor-store.ts'
import type { Editor } from './editor.ts'

interface Place {
  readonly lon: number
  readonly lat: number
}

/**
 * Moves what is selected with the pointer, in one transaction of the draft a move. Browsers give one move a frame, just
 * before its callbacks, so that the mirror and the scene follow in that same frame.
 */
export class SelectionDrag {
  readonly #editor: Editor
  readonly #starts = new Map<string, Place>()
  #draft: EditorDraft | undefined
  #last: SceneDrag | undefined

  constructor(editor: Editor) {
    this.#editor = editor
  }

  start(): void {
    const { ids, primary } = this.#editor.selection$.value
    const table = this.#editor.store.table('annotation')
    this.#starts.clear()
    for (const id of ids) {
      const row = table.get(id)
      if (row && !row.locked) this.#starts.set(id, row.position)
    }
    const many = `Move ${this.#starts.size.toLocaleString('en')} annotations`
    this.#draft = this.#editor.openDraft(
      ids.length > 1 ? many : `Move ${primary === undefined ? 'annotation' : this.#editor.nameOf(primary)}`,
    )
  }

  move(drag: SceneDrag): void {
    this.#last = drag
    this.#move(drag.dLon, drag.dLat)
  }

  end(cancelled: boolean): void {
    if (cancelled) this.#move(0, 0)
    else if (this.#last) this.#move(this.#last.dLon, this.#last.dLat)
    this.#last = undefined
    this.#draft = undefined
  }

  #move(dLon: number, dLat: number): void {
    const draft = this.#draft
    if (draft?.state !== 'open') return
    const table = draft.table('annotation')
    draft.transaction(() => {
      for (const [id, { lon, lat }] of this.#starts) {
        table.update(id, { position: { lon: within(lon + dLon, 180), lat: within(lat + dLat, 85) } })
      }
    })
  }
}

/** Clamped, in steps of about a meter. */
function within(degrees: number, limit: number): number {
  return Math.round(Math.min(Math.max(degrees, -limit), limit) * 1e5) / 1e5
}

import { animationFrameScheduler, auditTime, Subject, type Subscription } from 'rxjs'
import type { SceneDrag } from '../scene/index.ts'
import type { EditorDraft } from './editor-store.ts'
import type { Editor } from './editor.ts'

interface Place {
  readonly lon: number
  readonly lat: number
}

/** Moves what is selected with the pointer: one transaction of the draft an animation frame, whatever the mouse's rate. */
export class SelectionDrag {
  readonly #editor: Editor
  readonly #moves = new Subject<SceneDrag>()
  readonly #subscription: Subscription
  readonly #starts = new Map<string, Place>()
  #draft: EditorDraft | undefined
  #last: SceneDrag | undefined

  constructor(editor: Editor) {
    this.#editor = editor
    this.#subscription = this.#moves.pipe(auditTime(0, animationFrameScheduler)).subscribe((drag) => this.#apply(drag))
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
    this.#moves.next(drag)
  }

  end(cancelled: boolean): void {
    if (cancelled) this.#move(0, 0)
    else if (this.#last) this.#apply(this.#last)
    this.#last = undefined
    this.#draft = undefined
  }

  dispose(): void {
    this.#subscription.unsubscribe()
  }

  #apply({ dLon, dLat }: SceneDrag): void {
    if (this.#last) this.#move(dLon, dLat)
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

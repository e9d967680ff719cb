import { RowcastError } from 'rowcast'
import type { EditorDraft } from '../app/editor-store.ts'
import type { Editor } from '../app/editor.ts'
import type { Guest, OpenEdit } from './presence-state.ts'

interface Shown {
  readonly draft: EditorDraft
  readonly text: string
  readonly cells: ReadonlySet<string>
}

const cellsOf = (edits: readonly OpenEdit[]): Set<string> =>
  new Set(edits.flatMap(({ table, key, cells }) => Object.keys(cells).map((path) => `${table}/${key}/${path}`)))

/**
 * Shows what others are about to commit, as drafts that are only ever cancelled: a draft is seen by everything that reads
 * the store (map, table, panels), and is neither sent nor saved.
 */
export class LiveEdits {
  readonly #editor: Editor
  readonly #shown = new Map<string, Shown>()

  constructor(editor: Editor) {
    this.#editor = editor
  }

  show(guests: readonly Guest[]): void {
    const here = new Set(guests.map(({ session }) => session))
    for (const session of this.#shown.keys()) if (!here.has(session)) this.#drop(session)
    for (const guest of guests) this.#update(guest)
  }

  #update({ session, name, edits }: Guest): void {
    const text = JSON.stringify(edits)
    const before = this.#shown.get(session)
    if (before ? before.text === text : edits.length === 0) return
    const cells = cellsOf(edits)
    // What is no longer edited falls back to what lies below.
    const goesOn = before !== undefined && [...before.cells].every((cell) => cells.has(cell))
    if (!goesOn) this.#drop(session)
    if (edits.length === 0) return
    const draft = goesOn ? before.draft : this.#editor.store.draft({ label: `${name} is editing` })
    this.#shown.set(session, { draft, text, cells })
    const mine = this.#ownCells()
    draft.transaction(() => {
      for (const edit of edits) write(draft, edit, mine)
    })
  }

  /** What is edited here is shown as it is edited here. */
  #ownCells(): ReadonlySet<string> {
    const draft = this.#editor.draft$.value
    if (draft?.state !== 'open' || !draft.isDirty) return new Set()
    return new Set(
      draft
        .changes()
        .changes.flatMap(({ table, key, after }) =>
          Object.keys(after).map((path) => `${table}/${typeof key === 'string' ? key : ''}/${path}`),
        ),
    )
  }

  #drop(session: string): void {
    const shown = this.#shown.get(session)
    if (!shown) return
    this.#shown.delete(session)
    if (shown.draft.state === 'open') shown.draft.cancel()
  }
}

function write(draft: EditorDraft, { table, key, cells }: OpenEdit, mine: ReadonlySet<string>): void {
  if (table !== 'annotation' && table !== 'layer') return
  const rows = draft.table(table)
  if (!rows.has(key)) return
  try {
    draft.transaction(() => {
      for (const [path, value] of Object.entries(cells))
        if (!mine.has(`${table}/${key}/${path}`)) rows.set(key, path as 'name', value as string)
    })
  } catch (error) {
    // What the schema or a constraint does not allow here is not shown before it is committed.
    if (!(error instanceof RowcastError)) throw error
  }
}

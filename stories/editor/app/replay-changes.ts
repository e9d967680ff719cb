import { RowcastError } from 'rowcast'
import type { EditorDraft, NewAnnotation } from './editor-store.ts'

/** What a draft has made of a row, as JSON can say it: a cell without a value is one that was emptied. */
export interface KeptChange {
  readonly table: string
  readonly key: unknown
  readonly op: 'insert' | 'update' | 'delete'
  readonly cells: readonly (readonly [path: string, value?: unknown])[]
}

export function keptChanges(draft: EditorDraft): KeptChange[] {
  return draft.changes().changes.map(({ table, key, op, after }) => ({
    table,
    key,
    op,
    cells: Object.entries(after).map(([path, value]) => (value === undefined ? [path] : [path, value])),
  }))
}

/** Makes the changes of another draft in this one, as far as the project takes them. Returns how many rows it does not. */
export function replayChanges(draft: EditorDraft, changes: readonly KeptChange[]): number {
  let left = 0
  draft.transaction(() => {
    for (const change of changes) {
      try {
        draft.transaction(() => replay(draft, change))
      } catch (error) {
        if (!(error instanceof RowcastError)) throw error
        left++
      }
    }
  })
  return left
}

function replay(draft: EditorDraft, { table, key, op, cells }: KeptChange): void {
  if (table === 'scene') {
    const scene = draft.value('scene')
    for (const [path, value] of cells) {
      if (value === undefined) scene.reset(path as 'title')
      else scene.set(path as 'title', value as string)
    }
    return
  }
  // Layers are written by the same calls; the types are those of annotations.
  const rows = draft.table(table as 'annotation')
  const id = key as string
  if (op === 'delete') rows.delete(id)
  else if (op === 'insert') rows.insert(nested(cells) as NewAnnotation)
  else
    for (const [path, value] of cells) {
      if (value === undefined) rows.reset(id, path as 'name')
      else rows.set(id, path as 'name', value as string)
    }
}

/** `text.size` as `{ text: { size } }`. */
function nested(cells: KeptChange['cells']): object {
  const row: Record<string, unknown> = {}
  for (const [path, value] of cells) {
    const names = path.split('.')
    const last = names.pop() ?? path
    let at = row
    for (const name of names) at = (at[name] ??= {}) as Record<string, unknown>
    at[last] = value
  }
  return row
}

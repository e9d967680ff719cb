import type { Editor } from '../app/editor.ts'
import { type OpenEdit, presenceLimit } from './presence-state.ts'

/** What the open draft changes of rows that are there: the first few of many. */
export function openEdits(editor: Editor): OpenEdit[] {
  const draft = editor.draft$.value
  if (draft?.state !== 'open' || !draft.isDirty) return []
  const { ids } = editor.selection$.value
  // The net change of thousands of rows would be worked out again at every step.
  if (editor.dragging$.value && ids.length > presenceLimit) {
    const table = editor.store.table('annotation')
    return ids.slice(0, presenceLimit).flatMap((key) => {
      const place = table.get(key)?.position
      return place
        ? [{ table: 'annotation', key, cells: { 'position.lon': place.lon, 'position.lat': place.lat } }]
        : []
    })
  }
  const edits: OpenEdit[] = []
  for (const { table, key, op, after } of draft.changes().changes) {
    if (op !== 'update' || typeof key !== 'string') continue
    edits.push({ table, key, cells: after })
    if (edits.length === presenceLimit) break
  }
  return edits
}

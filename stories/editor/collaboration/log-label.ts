import type { Editor } from '../app/editor.ts'
import type { LogEntry } from './database-calls.ts'

/** What an entry of the log did: its own label, or else what its kind or its changes say. */
export function logLabel({ label, kind, changes, from }: LogEntry, editor: Editor): string {
  if (label !== undefined) return label
  switch (kind) {
    case 'created':
      return from ? `Forked from ${from.database}` : 'Created'
    case 'import':
      return 'Imported a file'
    case 'rollback':
      return 'Rolled back'
    case 'transaction':
      return editor.labelOf(changes)
  }
}

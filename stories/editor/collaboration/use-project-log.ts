import { useCallback, useEffect, useState } from 'react'
import { debounceTime, filter, merge } from 'rxjs'
import type { Editor } from '../app/editor.ts'
import type { Collaboration } from './collaboration.ts'
import type { LogEntry, Snapshot } from './database-calls.ts'

export interface ProjectLog {
  readonly entries: readonly LogEntry[]
  readonly snapshots: readonly Snapshot[]
}

const shownEntries = 40

/** The newest part of the server's log, read again when something has been confirmed or has arrived. */
export function useProjectLog(editor: Editor, { store, calls, status$ }: Collaboration): [ProjectLog, () => void] {
  const [log, setLog] = useState<ProjectLog>({ entries: [], snapshots: [] })
  const read = useCallback(() => {
    Promise.all([calls.history(shownEntries), calls.snapshots()]).then(
      ([entries, snapshots]) => setLog({ entries, snapshots }),
      (error: unknown) => {
        // Offline the bar says why; what was read stays in sight.
        if (status$.value.state === 'live') editor.fail(error)
      },
    )
  }, [editor, calls, status$])
  useEffect(() => {
    const news$ = merge(
      status$.pipe(filter(({ state, pending }) => state === 'live' && pending === 0)),
      store.changes$.pipe(filter(({ origin, draftId }) => origin === 'remote' && draftId === undefined)),
    )
    const subscription = news$.pipe(debounceTime(150)).subscribe(read)
    return () => subscription.unsubscribe()
  }, [store, status$, read])
  return [log, read]
}

import { useCallback, useEffect, useMemo, useState } from 'react'
import {
  catchError,
  debounceTime,
  distinctUntilChanged,
  EMPTY,
  filter,
  from,
  map,
  merge,
  Subject,
  switchMap,
} from 'rxjs'
import type { Editor } from '../app/editor.ts'
import type { Collaboration } from './collaboration.ts'
import type { LogEntry, Snapshot } from './database-calls.ts'

export interface ProjectLog {
  readonly entries: readonly LogEntry[]
  readonly snapshots: readonly Snapshot[]
}

const shownEntries = 40

/** The newest part of the server's log, read again when something has been confirmed or has arrived. */
export function useProjectLog(
  editor: Editor,
  { store, calls, status$, guests$ }: Collaboration,
): [ProjectLog, () => void] {
  const [log, setLog] = useState<ProjectLog>({ entries: [], snapshots: [] })
  const asked$ = useMemo(() => new Subject<void>(), [])
  const read = useCallback(() => asked$.next(), [asked$])
  useEffect(() => {
    const news$ = merge(
      status$.pipe(filter(({ state, pending }) => state === 'live' && pending === 0)),
      store.changes$.pipe(filter(({ origin, draftId }) => origin === 'remote' && draftId === undefined)),
      // What was shown while somebody edited it changes nothing that is seen once it is confirmed.
      guests$.pipe(
        map((guests) => guests.filter(({ edits }) => edits.length > 0).length),
        distinctUntilChanged(),
      ),
    )
    // Of two readings under way the one that began last counts.
    const log$ = merge(asked$, news$.pipe(debounceTime(150))).pipe(
      switchMap(() =>
        from(Promise.all([calls.history(shownEntries), calls.snapshots()])).pipe(
          catchError((error: unknown) => {
            // Offline the bar says why; what was read stays in sight.
            if (status$.value.state === 'live') editor.fail(error)
            return EMPTY
          }),
        ),
      ),
    )
    const subscription = log$.subscribe(([entries, snapshots]) => setLog({ entries, snapshots }))
    return () => subscription.unsubscribe()
  }, [editor, calls, store, status$, guests$, asked$])
  return [log, read]
}

import { createContext, useCallback, useContext, useSyncExternalStore } from 'react'
import { BehaviorSubject } from 'rxjs'
import type { Collaboration } from './collaboration.ts'
import type { Guest } from './presence-state.ts'

const CollaborationContext = createContext<Collaboration | undefined>(undefined)
export const CollaborationProvider = CollaborationContext.Provider

const nobody$ = new BehaviorSubject<readonly Guest[]>([])

/** Undefined where the editor works alone. */
function useCollaboration(): Collaboration | undefined {
  return useContext(CollaborationContext)
}

/** Something of who else is here; renders again when that is another value. */
function useGuestsPart<Part>(read: (guests: readonly Guest[]) => Part): Part {
  const guests$ = useCollaboration()?.guests$ ?? nobody$
  const subscribe = useCallback(
    (notify: () => void) => {
      const subscription = guests$.subscribe(notify)
      return () => subscription.unsubscribe()
    },
    [guests$],
  )
  return useSyncExternalStore(subscribe, () => read(guests$.value))
}

export function useGuests(): readonly Guest[] {
  return useGuestsPart((guests) => guests)
}

/** Who else edits a property, or something in it. */
export function useGuestAt(table: string, key: string, path: string): Guest | undefined {
  return useGuestsPart((guests) =>
    guests.find(({ edits }) =>
      edits.some(
        (edit) =>
          edit.table === table &&
          edit.key === key &&
          Object.keys(edit.cells).some((cell) => cell === path || cell.startsWith(`${path}.`)),
      ),
    ),
  )
}
